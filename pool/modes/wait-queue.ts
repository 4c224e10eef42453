import type { Request } from '../jsonrpc/request.ts';
import { WaitRing } from '../queue.ts';
import type { Channel, Requester } from './channel.ts';

export interface WaitQueueLimits {
  readonly maxSize: number;
  readonly maxBytes: number;
  readonly maxBytesPerClient: number;
}

/**
 * Requests that wait for a channel: in order within a client, in turns between clients. A client that has something in
 * flight waits for that channel, in the channel's ring; any other waits for the first one that has room.
 */
export class WaitQueue {
  readonly #limits: WaitQueueLimits;
  readonly #unbound = new WaitRing<Requester>();
  #size = 0;
  #bytes = 0;

  constructor(limits: WaitQueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  /** True when a client waits that may use any channel. */
  get hasUnbound(): boolean {
    return this.#unbound.first !== undefined;
  }

  hasRoomFor(lease: Requester, request: Request): boolean {
    const { maxSize, maxBytes, maxBytesPerClient } = this.#limits;
    const { size } = request;
    return (
      this.#size < maxSize && this.#bytes + size <= maxBytes && lease.waitingBytes + size <= maxBytesPerClient
    );
  }

  /** Adds a request behind what its client has waiting. */
  push(lease: Requester, request: Request): void {
    lease.waiting.push(request);
    this.#added(lease, request);
  }

  /** Adds a request before what its client has waiting. */
  unshift(lease: Requester, request: Request): void {
    lease.waiting.unshift(request);
    this.#added(lease, request);
  }

  /** Takes the oldest request of a client that has one. */
  shift(lease: Requester): Request {
    return this.#take(lease, 0);
  }

  /** Takes the requests of a client that have waited long enough. */
  expired(lease: Requester, nowMs: number): Request[] {
    const requests: Request[] = [];
    for (let index = lease.waiting.length - 1; index >= 0; index--) {
      if (lease.waiting[index]!.queueDeadlineMs <= nowMs) requests.unshift(this.#take(lease, index));
    }
    return requests;
  }

  #take(lease: Requester, index: number): Request {
    const request = lease.waiting.splice(index, 1)[0];
    if (request === undefined) throw new Error('bug: took from a client that has nothing waiting');
    this.#size--;
    this.#bytes -= request.size;
    lease.waitingBytes -= request.size;
    if (lease.waiting.length === 0) lease.ring?.remove(lease);
    return request;
  }

  /** Whose turn it is to use the channel: those bound to it and the others take turns. */
  next(channel: Channel): Requester | undefined {
    const [preferred, other] = channel.favoursBound
      ? [channel.waiting, this.#unbound]
      : [this.#unbound, channel.waiting];
    channel.favoursBound = !channel.favoursBound;
    return preferred.first ?? other.first;
  }

  /** Puts a client that has something waiting at the end of the ring where it belongs now. */
  place(lease: Requester): void {
    if (lease.waiting.length > 0) (lease.channel?.waiting ?? this.#unbound).add(lease);
  }

  /** Drops all that a client has waiting. */
  forget(lease: Requester): void {
    lease.ring?.remove(lease);
    this.#size -= lease.waiting.length;
    this.#bytes -= lease.waitingBytes;
    lease.waiting.length = 0;
    lease.waitingBytes = 0;
  }

  /** All clients that wait, those bound to one of the channels included. */
  leases(channels: readonly Channel[]): Requester[] {
    return [...this.#unbound.list(), ...channels.flatMap((channel) => channel.waiting.list())];
  }

  #added(lease: Requester, request: Request): void {
    this.#size++;
    this.#bytes += request.size;
    lease.waitingBytes += request.size;
    if (lease.ring === undefined) this.place(lease);
  }
}
