import type { ClientRank } from '../admin/clients-control.ts';
import type {
  ShownClients,
  ShownHealth,
  ShownPool,
  ShownSample,
  ShownSecond,
  ShownTotals,
} from './live-shape.ts';

const keptSeconds = 300;

/** A client's messages at an earlier look. */
interface EarlierLook {
  readonly atMs: number;
  readonly messages: ReadonlyMap<number, number>;
}

/** All that is known of the gateway that is looked at. */
export class TopState {
  /** Its address, as the user gave it. */
  readonly admin: string;
  /** Why nothing is heard of it now; undefined while it is heard. */
  lost: string | undefined;
  health: ShownHealth | undefined;
  /** Since the start of the gateway. */
  totals: ShownTotals | undefined;
  sort: ClientRank = 'messages';
  clients: ShownClients | undefined;
  #clientsAtMs = 0;
  #clientsBefore: EarlierLook | undefined;
  #seconds: ShownSecond[] = [];
  #latest: ShownSample | undefined;
  #previous: ShownSample | undefined;

  constructor(admin: string) {
    this.admin = admin;
  }

  /** The last five minutes, the oldest first. */
  get seconds(): readonly ShownSecond[] {
    return this.#seconds;
  }

  get latest(): ShownSample | undefined {
    return this.#latest;
  }

  /** What a gateway remembers; one that was started anew remembers nothing of before. */
  onHistory(seconds: readonly ShownSecond[]): void {
    this.#seconds = seconds.slice(-keptSeconds);
    this.#previous = undefined;
    this.#latest = undefined;
  }

  onSample(sample: ShownSample): void {
    this.lost = undefined;
    this.#previous = this.#latest;
    this.#latest = sample;
    this.#seconds.push(sample);
    if (this.#seconds.length > keptSeconds) this.#seconds.shift();
  }

  onClients(clients: ShownClients, nowMs: number): void {
    if (this.clients !== undefined) {
      const messages = new Map(this.clients.clients.map((client) => [client.id, messagesOf(client)]));
      this.#clientsBefore = { atMs: this.#clientsAtMs, messages };
    }
    this.clients = clients;
    this.#clientsAtMs = nowMs;
  }

  /** Messages of a client per second, between the last two looks; NaN for one that was not among those seen then. */
  clientRate(client: ShownClients['clients'][number]): number {
    const before = this.#clientsBefore;
    const then = before?.messages.get(client.id);
    if (before === undefined || then === undefined) return NaN;
    return Math.max(0, messagesOf(client) - then) / ((this.#clientsAtMs - before.atMs) / 1_000);
  }

  /** What a total of a pool grew by per second; NaN while it is not known. */
  poolRate(pool: ShownPool, totalOf: (pool: ShownPool) => number): number {
    const before = this.#previous?.pools.find(({ name }) => name === pool.name);
    const spanMs = this.#latest?.spanMs ?? 0;
    if (before === undefined || spanMs <= 0) return NaN;
    return (Math.max(0, totalOf(pool) - totalOf(before)) * 1_000) / spanMs;
  }
}

function messagesOf({ messages }: ShownClients['clients'][number]): number {
  return messages.received + messages.sent;
}
