import type { Request } from '../jsonrpc/request.ts';
import { Priority, priorityNames, type PriorityName } from '../waiting/priority.ts';
import { PriorityRings } from '../waiting/priority-rings.ts';
import { WaitRing } from '../waiting/queue.ts';
import { WeightedTurns } from '../waiting/weighted-turns.ts';
import type { Channel, Requester } from './channel.ts';

/** A weight, or one with a bound on how many requests wait in that class. */
export type PriorityClass = number | { readonly weight: number; readonly maxSize: number | null };

export interface WaitQueueLimits {
  readonly maxSize: number;
  readonly maxBytes: number;
  readonly maxBytesPerClient: number;
  readonly priority: Readonly<Record<PriorityName, PriorityClass>>;
}

/**
 * Requests that wait for a channel: in order within a client, in turns between the clients of a class, by weight between the
 * classes. A client with something in flight waits for that channel, in its rings; any other for the first one that has room.
 * Its requests keep their order whatever their classes: it waits in the most urgent of them, so that an urgent
 * request is not held up by what its own client sent before.
 */
export class WaitQueue {
  readonly #limits: WaitQueueLimits;
  readonly #unbound = new PriorityRings<Requester>();
  /** Those whose requests may not be sent yet. */
  readonly #held = new WaitRing<Requester>();
  readonly #turns: WeightedTurns;
  readonly #maxSizes: readonly number[];
  readonly #sizes = [0, 0, 0];
  #size = 0;
  #bytes = 0;

  constructor(limits: WaitQueueLimits) {
    this.#limits = limits;
    const classes = priorityNames.map((name) => limits.priority[name]);
    this.#turns = new WeightedTurns(classes.map((one) => (typeof one === 'number' ? one : one.weight)));
    this.#maxSizes = classes.map((one) => (typeof one === 'number' ? Infinity : (one.maxSize ?? Infinity)));
  }

  get size(): number {
    return this.#size;
  }

  /** True when a client waits that may use any channel. */
  get hasUnbound(): boolean {
    return this.#unbound.wanting !== 0;
  }

  hasRoomFor(lease: Requester, request: Request): boolean {
    const { maxBytesPerClient } = this.#limits;
    return !this.isFullFor(lease, request) && lease.waiting.bytes + request.size <= maxBytesPerClient;
  }

  /** There is no room, whatever its client has waiting. */
  isFullFor(lease: Requester, request: Request): boolean {
    const { maxSize, maxBytes } = this.#limits;
    const priority = priorityOf(lease, request);
    return (
      this.#size >= maxSize ||
      this.#sizes[priority]! >= this.#maxSizes[priority]! ||
      this.#bytes + request.size > maxBytes
    );
  }

  /** Adds a request behind what its client has waiting. */
  push(lease: Requester, request: Request): void {
    request.priority = priorityOf(lease, request);
    lease.waiting.push(request);
    this.#added(lease, request);
  }

  /** Adds a request before what its client has waiting. */
  unshift(lease: Requester, request: Request): void {
    request.priority = priorityOf(lease, request);
    lease.waiting.unshift(request);
    this.#added(lease, request);
  }

  /** Takes the oldest request of a client that has one. */
  shift(lease: Requester): Request {
    const request = lease.waiting.first;
    if (request === undefined) throw new Error('bug: took from a client that has nothing waiting');
    this.#take(lease, request);
    return request;
  }

  /** Takes the requests of a client that have waited long enough. */
  expired(lease: Requester, nowMs: number): Request[] {
    const due = lease.waiting.due(nowMs);
    for (const request of due) this.#take(lease, request);
    // Without the urgent ones the others lose the place that those had got them.
    if (due.length > 0) this.#settle(lease);
    return due;
  }

  /** Whose turn it is to use the channel; within a class those bound to it and the others take turns. */
  next(channel: Channel): Requester | undefined {
    const priority = this.#turns.next(channel.waiting.wanting | this.#unbound.wanting);
    if (priority < 0) return undefined;
    const bound = channel.waiting.first(priority as Priority);
    const unbound = this.#unbound.first(priority as Priority);
    const bit = 1 << priority;
    const favoursBound = (channel.favoursBound & bit) !== 0;
    channel.favoursBound ^= bit;
    return favoursBound ? (bound ?? unbound) : (unbound ?? bound);
  }

  /** Puts a client that has something waiting at the end of the ring where it belongs now. */
  place(lease: Requester): void {
    if (lease.waiting.length === 0) return;
    if (lease.heldUntilMs > 0) this.#held.add(lease);
    else this.#ringsOf(lease).add(lease, lease.waiting.urgency);
  }

  /** Lets those go on who were held until now. Returns the next time to do so; Infinity when nobody is held any more. */
  release(nowMs: number): number {
    let nextMs = Infinity;
    for (const lease of this.#held.list()) {
      if (lease.heldUntilMs > nowMs) {
        nextMs = Math.min(nextMs, lease.heldUntilMs);
      } else {
        lease.heldUntilMs = 0;
        this.place(lease);
      }
    }
    return nextMs;
  }

  /** Drops all that a client has waiting. */
  forget(lease: Requester): void {
    for (const request of lease.waiting) this.#take(lease, request);
  }

  /** All clients that wait, those held or bound to one of the channels included. */
  leases(channels: readonly Channel[]): Requester[] {
    return [
      ...this.#held.list(),
      ...this.#unbound.list(),
      ...channels.flatMap((channel) => channel.waiting.list()),
    ];
  }

  #ringsOf(lease: Requester): PriorityRings<Requester> {
    return lease.channel?.waiting ?? this.#unbound;
  }

  #added(lease: Requester, request: Request): void {
    this.#size++;
    this.#sizes[request.priority]!++;
    this.#bytes += request.size;
    this.#settle(lease);
  }

  #take(lease: Requester, request: Request): void {
    lease.waiting.remove(request);
    this.#size--;
    this.#sizes[request.priority]!--;
    this.#bytes -= request.size;
    if (lease.waiting.length > 0) return;
    lease.ring?.remove(lease);
    lease.heldUntilMs = 0;
  }

  /** Moves a client to another ring only when it does not wait where it belongs: its place there is worth keeping. */
  #settle(lease: Requester): void {
    if (lease.heldUntilMs > 0 || !this.#ringsOf(lease).holds(lease, lease.waiting.urgency)) this.place(lease);
  }
}

function priorityOf(lease: Requester, request: Request): Priority {
  return request.traits.priority ?? lease.priority;
}
