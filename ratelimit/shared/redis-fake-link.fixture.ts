import type { LeaseAnswer, LeaseRequest } from './lease-script.ts';
import type { LeaseLink } from './redis-link.ts';

interface Pending {
  readonly key: string;
  readonly request: LeaseRequest;
  readonly patienceMs: number;
  readonly resolve: (answer: LeaseAnswer | undefined) => void;
}

/** A link to a bucket that a test fills by hand and that answers when the test says so. */
export class FakeLink implements LeaseLink {
  up = true;
  /** What there is to grant, by key. */
  readonly room = new Map<string, number>();
  readonly pending: Pending[] = [];
  granted = 0;
  returned = 0;
  blocks = 0;
  blocked = false;
  waitMs = 20;
  readonly #listeners = new Set<(up: boolean) => void>();

  ask(key: string, request: LeaseRequest, patienceMs: number): Promise<LeaseAnswer | undefined> {
    if (!this.up) return Promise.resolve(undefined);
    return new Promise((resolve) => this.pending.push({ key, request, patienceMs, resolve }));
  }

  onChange(listener: (up: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Answers what was asked first, or all; returns the requests. */
  async answer(count = this.pending.length): Promise<LeaseRequest[]> {
    const answered = this.pending.splice(0, count);
    for (const { key, request, resolve } of answered) resolve(this.#run(key, request));
    await turn();
    return answered.map(({ request }) => request);
  }

  /** Lets the patience of who asked first be over. */
  async miss(): Promise<void> {
    this.pending.shift()?.resolve(undefined);
    await turn();
  }

  async set(up: boolean): Promise<void> {
    this.up = up;
    for (const listener of this.#listeners) listener(up);
    if (!up) for (const { resolve } of this.pending.splice(0)) resolve(undefined);
    await turn();
  }

  #run(key: string, { want, least, returned, blockMs }: LeaseRequest): LeaseAnswer {
    const room = (this.room.get(key) ?? 0) + returned;
    const granted = want > 0 && !this.blocked && room >= least ? Math.min(want, room) : 0;
    this.room.set(key, room - granted);
    this.granted += granted;
    this.returned += returned;
    if (blockMs > 0) this.blocks++;
    return { granted, waitMs: granted > 0 ? 0 : this.waitMs, blocked: this.blocked };
  }
}

/** Lets what was put off to the end of the turn happen. */
export async function turn(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve));
}
