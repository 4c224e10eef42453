import type { ErrorCode } from '../jsonrpc/errors.ts';
import type { Request } from '../jsonrpc/request.ts';
import { Priority } from '../waiting/priority.ts';
import type { WaitRing, Waiter } from '../waiting/queue.ts';
import type { Channel, Requester } from './channel.ts';
import { WaitingRequests } from './waiting-requests.ts';

/** The reply to a call of the gateway's own: where its id stands in which bytes, valid during the call. */
export interface OwnReply {
  readonly channel: Channel;
  readonly buf: Uint8Array;
  readonly start: number;
  readonly idStart: number;
  readonly idEnd: number;
  readonly end: number;
  readonly sentAtMs: number;
}

/** Who made a call of the gateway's own; one of the two is called, once. */
export interface OwnCaller {
  onOwnReply(reply: OwnReply): void;
  /** There is no reply, and none will be looked at. `lateWireId` is the id of a call that may still be answered, else −1. */
  onOwnFailure(code: ErrorCode, channel: Channel | undefined, lateWireId: number): void;
}

const none = -1;

/**
 * A request that belongs to the gateway and to no client: it takes a slot, waits and moves as those of clients do, but no ledger
 * counts it.
 */
export class OwnCall implements Requester {
  ring: WaitRing<Waiter> | undefined;
  ringNext: Waiter | undefined;
  ringPrevious: Waiter | undefined;
  readonly released = false;
  readonly moves: boolean;
  readonly isClient = false;
  head = none;
  channel: Channel | undefined;
  readonly waiting = new WaitingRequests();
  heldUntilMs = 0;
  readonly priority = Priority.medium;
  readonly #request: Request;
  readonly #caller: OwnCaller;

  /** The request must have bytes of its own and belong to no batch; it `moves` when any connection will do, should this one be lost. */
  constructor(request: Request, caller: OwnCaller, { moves }: { readonly moves: boolean }) {
    this.#request = request;
    this.#caller = caller;
    this.moves = moves;
  }

  /** Writes it to a channel, which must be available. */
  submit(channel: Channel, nowMs: number): void {
    channel.submit(this, this.#request, nowMs);
  }

  /** It may take until then. */
  extend(deadlineMs: number): void {
    this.#request.deadlineMs = Math.max(this.#request.deadlineMs, deadlineMs);
    for (const request of this.waiting) request.deadlineMs = Math.max(request.deadlineMs, deadlineMs);
    if (this.channel !== undefined) this.channel.inFlight.extend(this.head, deadlineMs);
  }

  onSubmitted(channel: Channel, slot: number): void {
    this.channel = channel;
    this.head = slot;
  }

  onReply(
    channel: Channel,
    slot: number,
    buf: Uint8Array,
    start: number,
    idStart: number,
    idEnd: number,
    end: number,
  ): void {
    const sentAtMs = channel.inFlight.sentAtMs(slot);
    this.dropSlot(slot);
    this.#caller.onOwnReply({ channel, buf, start, idStart, idEnd, end, sentAtMs });
  }

  failSlot(slot: number, code: ErrorCode): void {
    const channel = this.channel!;
    const wireId = channel.inFlight.wireId(slot);
    this.dropSlot(slot);
    this.#caller.onOwnFailure(code, channel, wireId);
  }

  failRequest(_request: Request, code: ErrorCode): void {
    this.#caller.onOwnFailure(code, undefined, none);
  }

  dropSlot(slot: number): void {
    this.head = this.channel!.inFlight.release(slot, this.head);
    this.channel = undefined;
  }

  deliverNotice(): void {
    // Nobody in particular is reported to.
  }
}
