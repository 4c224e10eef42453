import type { ClientSide, Lease, LeaseFigures, PoolObserver } from '../client-side.ts';
import { ERROR_MESSAGES, ErrorCode, errorReply } from '../jsonrpc/errors.ts';
import { MethodRole, plainMethod, type MethodTable } from '../jsonrpc/method-table.ts';
import type { Request } from '../jsonrpc/request.ts';
import type { Scan } from '../jsonrpc/scan.ts';
import type { Priority } from '../waiting/priority.ts';
import type { WaitRing, Waiter } from '../waiting/queue.ts';
import type { Subscriber } from '../subscriptions/subscription.ts';
import type { Channel, Requester } from './channel.ts';
import type { Dialogue } from './dialogue.ts';
import type { Follower } from './followers.ts';
import type { Intake, IntakeOwner } from './intake.ts';
import type { OwnReply } from './own-call.ts';
import { WaitingRequests } from './waiting-requests.ts';

const none = -1;
const batchTooLarge = 'The replies of this batch are too large together: send fewer at once.';

/** What a lease needs of its pool. */
export interface LeaseHost {
  readonly limits: LeaseLimits;
  readonly intake: Intake;
  readonly dialogue: Dialogue | undefined;
  readonly observer: PoolObserver;
  /** Counts a request or notification in and sets its deadlines; returns the time. */
  admit(request: Request): number;
  /** A channel with room, or undefined. */
  pick(): Channel | undefined;
  /** Writes a request to a channel, which must be available. */
  submit(channel: Channel, lease: Requester, request: Request, nowMs: number): void;
  /** Puts a request in the queue, or fails it when the queue is full or there is nothing to wait for. */
  enqueue(lease: Requester, request: Request): void;
  /** The client has nothing in flight any more: what it has waiting may go anywhere. */
  onUnbound(lease: Requester): void;
  /** The client left: its place in the queue is free. */
  forget(lease: Requester): void;
  /** A request was answered; returns how many milliseconds that took. */
  countReply(acceptedAtMs: number, sentAtMs: number): number;
  /** The same with a result made here. */
  countAnswer(acceptedAtMs: number): number;
  /** The same with an error made here. */
  countError(code: ErrorCode, acceptedAtMs: number): number;
  /** Accepted requests ended because their client left. */
  countAbandoned(requests: number): void;
}

export interface LeaseLimits {
  readonly maxInFlightPerClient: number;
  readonly maxRetries: number;
  readonly methods: MethodTable;
}

/** A client's hold on a pool in request mode: what it has in flight, all on one channel, and what it has waiting. */
export class RequestLease implements Lease, Requester, IntakeOwner, Subscriber {
  readonly chargesRequests = true;
  readonly moves = true;
  readonly isClient = true;
  readonly client: ClientSide;
  ring: WaitRing<Waiter> | undefined;
  ringNext: Waiter | undefined;
  ringPrevious: Waiter | undefined;
  /** The newest slot of this client in its channel's table, or −1. */
  head = none;
  /** The client sticks to it while it has something in flight there; undefined otherwise. */
  channel: Channel | undefined;
  /** What waits for a channel, oldest first. */
  readonly waiting = new WaitingRequests();
  heldUntilMs = 0;
  readonly priority: Priority;
  readonly #host: LeaseHost;
  /** Requests that a call shared with others will answer; undefined until there is one. */
  #following: Set<Follower> | undefined;
  #recent: Channel | undefined;
  #inFlight = 0;
  #refusing = false;
  #released = false;

  constructor(client: ClientSide, host: LeaseHost, priority: Priority) {
    this.client = client;
    this.priority = priority;
    this.#host = host;
  }

  get released(): boolean {
    return this.#released;
  }

  get busy(): boolean {
    return this.#unanswered > 0;
  }

  get #unanswered(): number {
    return this.#inFlight + this.waiting.length + (this.#following?.size ?? 0);
  }

  send(bytes: Uint8Array, isBinary: boolean): boolean {
    this.#host.intake.take(this, bytes, isBinary);
    return true;
  }

  figures(): LeaseFigures {
    return { inFlight: this.#inFlight + (this.#following?.size ?? 0), waiting: this.waiting.length };
  }

  refuseNew(): void {
    this.#refusing = true;
  }

  release(): void {
    if (this.#released) throw new Error('bug: a lease was released twice');
    this.#released = true;
    this.#host.dialogue?.leave(this);
    const inFlight = this.channel?.inFlight.abandon(this.head) ?? 0;
    let waiting = 0;
    for (const request of this.waiting) if (!request.isNotification) waiting++;
    this.head = none;
    this.channel = undefined;
    this.#inFlight = 0;
    const following = this.#following?.size ?? 0;
    for (const follower of this.#following ?? []) follower.leave();
    this.#following = undefined;
    this.#host.countAbandoned(inFlight + waiting + following);
    this.#host.forget(this);
  }

  respond(bytes: Uint8Array, start: number, end: number, scan: Scan): boolean {
    return this.#host.dialogue?.respond(this, bytes, start, end, scan) === true;
  }

  /** A request of this client now is in flight on the channel, in that slot. */
  onSubmitted(channel: Channel, slot: number): void {
    this.channel = channel;
    this.head = slot;
    this.#inFlight++;
  }

  /** The reply to a request of this client arrived. */
  onReply(
    channel: Channel,
    slot: number,
    buf: Uint8Array,
    start: number,
    idStart: number,
    idEnd: number,
    end: number,
  ): void {
    const { inFlight } = channel;
    const tookMs = this.#host.countReply(inFlight.acceptedAtMs(slot), inFlight.sentAtMs(slot));
    if (tookMs >= this.#host.observer.slowMs) this.#tellSlow(tookMs, channel, inFlight.method(slot));
    const kept = inFlight.kept[slot];
    // The slot is free before anything is sent; its id stays readable until the slot is claimed again.
    this.dropSlot(slot);
    const id = inFlight.idBytes;
    this.#deliverReply(
      kept,
      id,
      inFlight.idStart(slot),
      inFlight.idEnd(slot),
      buf,
      start,
      idStart,
      idEnd,
      end,
    );
  }

  onFollow(follower: Follower): void {
    (this.#following ??= new Set()).add(follower);
  }

  onUnfollow(follower: Follower): void {
    this.#following?.delete(follower);
  }

  answerFollower(request: Request, { channel, buf, start, idStart, idEnd, end, sentAtMs }: OwnReply): void {
    const tookMs = this.#host.countReply(request.acceptedAtMs, sentAtMs);
    if (tookMs >= this.#host.observer.slowMs) this.#tellSlow(tookMs, channel, request.shownMethod);
    const { id } = request;
    this.#deliverReply(request, id, request.idStart, request.idEnd, buf, start, idStart, idEnd, end);
  }

  answer(request: Request, bytes: Uint8Array): boolean {
    const { batch, batchIndex } = request;
    if (request.isNotification) {
      batch?.settle(batchIndex, undefined);
      return true;
    }
    if (batch?.hasRoomFor(bytes.length) === false) {
      this.failRequest(request, ErrorCode.QueueFull, batchTooLarge);
      return false;
    }
    const tookMs = this.#host.countAnswer(request.acceptedAtMs);
    if (tookMs >= this.#host.observer.slowMs) this.#tellSlow(tookMs, undefined, request.shownMethod);
    if (batch === undefined) this.client.deliver(bytes, 0, bytes.length, false);
    else batch.settle(batchIndex, bytes);
    return true;
  }

  deliverNotice(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    token: Uint8Array,
  ): void {
    this.client.deliverSpliced(buf, start, cutStart, cutEnd, end, token, 0, token.length);
  }

  tellLost(): void {
    this.client.onUpstreamClose(1006, '');
  }

  /** Answers a request in flight with an error made here, and frees its slot. */
  failSlot(slot: number, code: ErrorCode): void {
    const channel = this.channel!;
    const { inFlight } = channel;
    const id = inFlight.idBytes;
    const reply = errorReply(id, inFlight.idStart(slot), inFlight.idEnd(slot), code, ERROR_MESSAGES[code]);
    const kept = inFlight.kept[slot];
    const tookMs = this.#host.countError(code, inFlight.acceptedAtMs(slot));
    if (this.#tookLong(tookMs, code)) this.#tellSlow(tookMs, channel, inFlight.method(slot));
    this.dropSlot(slot);
    this.#fail(reply, kept);
  }

  /** Answers a request that never got a slot, or lost it, with an error made here. */
  failRequest(request: Request, code: ErrorCode, message: string = ERROR_MESSAGES[code]): void {
    if (request.isNotification) {
      request.batch?.settle(request.batchIndex, undefined);
      return;
    }
    const tookMs = this.#host.countError(code, request.acceptedAtMs);
    if (this.#tookLong(tookMs, code)) this.#tellSlow(tookMs, undefined, request.shownMethod);
    this.#fail(errorReply(request.id, request.idStart, request.idEnd, code, message), request);
  }

  /** Takes the slot out of the table without an answer. */
  dropSlot(slot: number): void {
    this.head = this.channel!.inFlight.release(slot, this.head);
    if (--this.#inFlight === 0) this.#host.onUnbound(this);
  }

  /** What had no answer in time took too long, however little that is. */
  #tookLong(tookMs: number, code: ErrorCode): boolean {
    const { slowMs } = this.#host.observer;
    return tookMs >= slowMs || (code === ErrorCode.Timeout && slowMs !== Infinity);
  }

  #tellSlow(tookMs: number, channel: Channel | undefined, method: string): void {
    this.#host.observer.slow(this.client, tookMs, channel?.endpoint.label ?? '', method);
  }

  #fail(reply: Uint8Array, request: Request | undefined): void {
    if (request?.batch === undefined) this.client.send(reply, false);
    else request.batch.settle(request.batchIndex, reply);
  }

  /** Sends a reply on, under the client's own id. */
  #deliverReply(
    request: Request | undefined,
    id: Uint8Array,
    from: number,
    to: number,
    buf: Uint8Array,
    start: number,
    idStart: number,
    idEnd: number,
    end: number,
  ): void {
    const batch = request?.batch;
    if (batch === undefined) {
      this.client.deliverSpliced(buf, start, idStart, idEnd, end, id, from, to);
      return;
    }
    const reply = batch.hasRoomFor(end - start)
      ? Buffer.concat([buf.subarray(start, idStart), id.subarray(from, to), buf.subarray(idEnd, end)])
      : errorReply(id, from, to, ErrorCode.QueueFull, batchTooLarge);
    batch.settle(request!.batchIndex, reply);
  }

  /** The path of every request: counted, checked, then written to a channel or put in the queue. */
  accept(request: Request, scan: Scan): void {
    const host = this.#host;
    const nowMs = host.admit(request);
    if (request.traits !== plainMethod && !this.#acceptMethod(request)) return;
    if (this.#refusing) return this.failRequest(request, ErrorCode.NoUpstream);
    if (!request.isNotification && this.#hasInFlight(request)) {
      return this.failRequest(
        request,
        ErrorCode.InvalidRequest,
        'A request with this id is in flight already: use another.',
      );
    }
    if (this.#unanswered >= host.limits.maxInFlightPerClient && !makesRoom(request)) {
      return this.failRequest(
        request,
        ErrorCode.QueueFull,
        'This client has too many requests in flight: wait for replies.',
      );
    }
    const { dialogue } = host;
    if (dialogue !== undefined && (dialogue.seesAll || request.traits.role !== MethodRole.Plain)) {
      if (dialogue.accept(this, request, scan)) return;
    }
    const channel = this.waiting.length > 0 ? undefined : (this.channel ?? this.#takeRecent() ?? host.pick());
    if (channel?.available !== true) return host.enqueue(this, request);
    host.submit(channel, this, request, nowMs);
    // What does not bind the client to the channel is not to be overtaken by what comes next.
    if (request.isNotification || request.shareKey !== undefined) this.#recent = channel;
    if (request.isNotification) request.batch?.settle(request.batchIndex, undefined);
  }

  /** Where the last message went when it did not bind the client there, so that what follows does not overtake it. */
  #takeRecent(): Channel | undefined {
    const recent = this.#recent;
    this.#recent = undefined;
    return recent?.available === true ? recent : undefined;
  }

  #acceptMethod(request: Request): boolean {
    if (request.traits.stateful) {
      const message = 'This method keeps state on its connection: it needs a pool in session mode.';
      this.failRequest(request, ErrorCode.InvalidRequest, message);
      return false;
    }
    if (request.traits.idempotent) request.retriesLeft = this.#host.limits.maxRetries;
    return true;
  }

  #hasInFlight(request: Request): boolean {
    if (this.channel?.inFlight.hasId(this.head, request) === true) return true;
    if (this.waiting.hasIdOf(request)) return true;
    for (const follower of this.#following ?? []) if (follower.request.hasIdOf(request)) return true;
    return false;
  }
}

/** Whether it ends something and takes no place itself, so that it is welcome however much its client has in flight. */
function makesRoom({ traits }: Request): boolean {
  return traits.role === MethodRole.Cancel || traits.role === MethodRole.Unsubscribe;
}
