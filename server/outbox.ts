import type { Flushable, Turn } from '../pool/turn.ts';

/** A client connection as the outbox sees it. */
export interface OutboxClient {
  /** First and last item of the client, −1 for none; kept by the outbox. */
  outboxFirst: number;
  outboxLast: number;
  /** Hands one message to the socket. */
  transmit(bytes: Uint8Array, isBinary: boolean): void;
  /** Lets the outbox send the items from `first` on by `sendItems`, inside one cork when there are several. */
  sendCollected(first: number, several: boolean): void;
}

/** Small enough to stay in the processor's cache from the copy to the send. */
const arenaBytes = 1 << 18;
const maxItems = 1 << 14;
/** Anything longer gets memory of its own instead of a part of the arena. */
const largeBytes = 1 << 16;
const none = -1;

/**
 * Collects the replies of one event-loop turn by client, so that each client gets its own in one write. Messages are
 * copied into one arena; the items of a client are linked in their order.
 */
export class Outbox implements Flushable {
  readonly #turn: Turn;
  readonly #arena = new Uint8Array(arenaBytes);
  readonly #starts = new Int32Array(maxItems);
  readonly #ends = new Int32Array(maxItems);
  readonly #next = new Int32Array(maxItems);
  readonly #binary = new Uint8Array(maxItems);
  readonly #clients: OutboxClient[] = [];
  #used = 0;
  #items = 0;
  #scheduled = false;

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** Copies a message for the client. */
  add(client: OutboxClient, buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    const length = end - start;
    if (length > largeBytes) return this.#sendLarge(client, buf.subarray(start, end), isBinary);
    this.#reserve(length);
    copy(buf, start, end, this.#arena, this.#used);
    this.#link(client, length, isBinary);
  }

  /** Copies a text message in which the bytes from cutStart to cutEnd are replaced by id[idStart..idEnd). */
  addSpliced(
    client: OutboxClient,
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: Uint8Array,
    idStart: number,
    idEnd: number,
  ): void {
    const length = end - start - (cutEnd - cutStart) + (idEnd - idStart);
    const large = length > largeBytes;
    if (!large) this.#reserve(length);
    const target = large ? new Uint8Array(length) : this.#arena;
    let at = large ? 0 : this.#used;
    copy(buf, start, cutStart, target, at);
    at += cutStart - start;
    copy(id, idStart, idEnd, target, at);
    at += idEnd - idStart;
    copy(buf, cutEnd, end, target, at);
    if (large) this.#sendLarge(client, target, false);
    else this.#link(client, length, false);
  }

  /** Sends everything collected: one write a client. */
  flush(): void {
    this.#scheduled = false;
    this.#sendAll();
  }

  /** Sends a client's items; called back by the client, inside its cork when there are several. */
  sendItems(client: OutboxClient, first: number): void {
    for (let item = first; item !== none; item = this.#next[item]!) {
      client.transmit(this.#arena.subarray(this.#starts[item], this.#ends[item]), this.#binary[item] === 1);
    }
  }

  #sendAll(): void {
    const clients = this.#clients;
    for (let i = 0; i < clients.length; i++) {
      const client = clients[i]!;
      const first = client.outboxFirst;
      const several = first !== client.outboxLast;
      client.outboxFirst = client.outboxLast = none;
      client.sendCollected(first, several);
    }
    clients.length = 0;
    this.#used = 0;
    this.#items = 0;
  }

  #reserve(length: number): void {
    if (this.#used + length > arenaBytes || this.#items === maxItems) this.#sendAll();
  }

  #link(client: OutboxClient, length: number, isBinary: boolean): void {
    const item = this.#items++;
    this.#starts[item] = this.#used;
    this.#used += length;
    this.#ends[item] = this.#used;
    this.#binary[item] = isBinary ? 1 : 0;
    this.#next[item] = none;
    if (client.outboxFirst === none) {
      client.outboxFirst = item;
      this.#clients.push(client);
    } else {
      this.#next[client.outboxLast] = item;
    }
    client.outboxLast = item;
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#turn.schedule(this);
  }

  /** What was collected before goes first, so that the order holds. */
  #sendLarge(client: OutboxClient, bytes: Uint8Array, isBinary: boolean): void {
    this.#sendAll();
    client.transmit(bytes, isBinary);
  }
}

/** A loop beats the native copy up to about 32 bytes. */
function copy(from: Uint8Array, start: number, end: number, to: Uint8Array, at: number): void {
  if (end - start > 32) to.set(from.subarray(start, end), at);
  else for (let i = start; i < end; i++) to[at + i - start] = from[i]!;
}
