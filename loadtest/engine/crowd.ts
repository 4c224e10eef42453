import { setTimeout as sleep } from 'node:timers/promises';
import { Meeting } from './meeting.ts';
import { OpenLoop } from './open-loop.ts';
import type { OpenLoopOptions } from './open-loop.ts';
import type { StageMessage } from './stage-messages.ts';

/** Somebody who never comes must not keep the others for ever. */
const longestWaitMs = 300_000;

/** What all clients of a worker do together: meetings by the step that calls them, open loops by their name. */
export class Crowd {
  readonly tell: (message: StageMessage) => void;
  readonly #meetings = new Map<object, { readonly meeting: Meeting; readonly users: Set<number> }>();
  readonly #loops = new Map<string, OpenLoop>();
  /** Clients that have ended, by number. */
  readonly #ended = new Set<number>();

  constructor(tell: (message: StageMessage) => void) {
    this.tell = tell;
  }

  /** Waits at the step `place` until `expected` clients are there, or have ended before. */
  async meet(place: object, expected: number, user: number): Promise<void> {
    let found = this.#meetings.get(place);
    if (found === undefined) {
      found = { meeting: new Meeting(expected), users: new Set() };
      this.#meetings.set(place, found);
      for (let i = 0; i < this.#ended.size; i++) found.meeting.giveUpOne();
    }
    found.users.add(user);
    const late = new AbortController();
    const tooLate = sleep(longestWaitMs, true, { signal: late.signal, ref: false }).catch(() => false);
    const waited = await Promise.race([found.meeting.wait().then(() => false), tooLate]);
    late.abort();
    if (waited) throw new Error(`fewer than ${expected} clients came to meet`);
  }

  /** The open loop of that name, new when it is the first that asks. */
  loop(options: Omit<OpenLoopOptions, 'tell'>): OpenLoop {
    const loop = this.#loops.get(options.name) ?? new OpenLoop({ ...options, tell: this.tell });
    this.#loops.set(options.name, loop);
    return loop;
  }

  /** A client has ended: nobody waits for it any more. */
  end(user: number): void {
    if (this.#ended.has(user)) return;
    this.#ended.add(user);
    for (const { meeting, users } of this.#meetings.values()) if (!users.has(user)) meeting.giveUpOne();
  }
}
