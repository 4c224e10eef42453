import type { Balancer } from '../balancers/balancer.ts';
import type { ClientSide, PoolObserver, SeatHandlers } from '../client-side.ts';
import type { Connector } from '../connector.ts';
import type { PoolLog } from '../pool-log.ts';
import type { Endpoint } from '../endpoint.ts';
import type { DialRequest } from '../dial.ts';
import { Fleet } from '../fleet/fleet.ts';
import { errorCode } from '../jsonrpc/error-code.ts';
import { ErrorCode } from '../jsonrpc/errors.ts';
import type { Request } from '../jsonrpc/request.ts';
import { MAX_REPLY_DEPTH, ScanKind, type Scan } from '../jsonrpc/scan.ts';
import type { Mode } from '../mode.ts';
import { openConnections, zeroCounts, type ModeFigures, type RequestCounts } from '../pool-figures.ts';
import type { OperableMode } from '../pool-operations.ts';
import type { ScalingOptions } from '../fleet/upkeep.ts';
import { Priority } from '../waiting/priority.ts';
import { CheckCall } from './check-call.ts';
import { Channel, type ChannelHost, type Requester } from './channel.ts';
import { Dialogue, type DialogueSettings } from './dialogue.ts';
import { Intake } from './intake.ts';
import { recoverUnsent, type Moved } from './recover.ts';
import { RequestLease, type LeaseHost, type LeaseLimits } from './request-lease.ts';
import { Retries } from './retries.ts';
import { SharedSeat } from './shared-seat.ts';
import { WaitQueue, type WaitQueueLimits } from './wait-queue.ts';

export interface RequestLimits extends LeaseLimits {
  readonly maxBatchSize: number;
  /** What the replies of a batch may have together. */
  readonly maxBatchReplyBytes: number;
  readonly minConnections: number;
  readonly maxInFlightPerConnection: number;
  readonly requestTimeoutMs: number;
  readonly queue: WaitQueueLimits & { readonly timeoutMs: number };
  readonly retryBudgetRatio: number;
  /** Most milliseconds before the first retry of a request; each further one may take twice as long. */
  readonly retryBackoffMs: number;
  /** The JSON-RPC call of a health check; without it a ping is sent. */
  readonly healthCall?: Uint8Array | undefined;
  /** JSON-RPC errors of these codes are the upstream's fault. */
  readonly faultCodes: ReadonlySet<number>;
  /** Wire ids stay below it; the connection is replaced before. */
  readonly idCeiling: number;
}

export interface RequestModeOptions {
  readonly connector: Connector;
  readonly balancer: Balancer;
  readonly limits: RequestLimits;
  readonly scaling: ScalingOptions;
  readonly now: () => number;
  readonly random: () => number;
  readonly observer: PoolObserver;
  readonly log: PoolLog;
  readonly name: string;
  /** What there is beside requests and their replies; undefined when there is nothing. */
  readonly dialogue?: DialogueSettings | undefined;
}

/** What waits behind a call on a connection that drains is sent there after so long: most calls have ended by then. */
const drainPatienceMs = 200;

/** Many clients over few connections: JSON-RPC ids are rewritten on the way out and restored on the way back. */
export class RequestMode implements Mode, ChannelHost, LeaseHost, OperableMode {
  readonly counts: RequestCounts = zeroCounts();
  turnedAway = 0;
  readonly limits: RequestLimits;
  readonly intake: Intake;
  readonly dialogue: Dialogue | undefined;
  readonly #now: () => number;
  readonly #scratch = new Uint8Array(MAX_REPLY_DEPTH);
  readonly observer: PoolObserver;
  readonly #retries: Retries;
  readonly #queue: WaitQueue;
  readonly #fleet: Fleet<Channel>;

  constructor({ limits, now, observer, dialogue, ...fleet }: RequestModeOptions) {
    this.limits = limits;
    this.#now = now;
    this.observer = observer;
    this.#retries = new Retries({
      budgetRatio: limits.retryBudgetRatio,
      backoffMs: limits.retryBackoffMs,
      maxRetries: limits.maxRetries,
      now,
      random: fleet.random,
      onDue: () => this.#endBackoffs(),
    });
    this.#queue = new WaitQueue(limits.queue);
    this.intake = new Intake({ ...limits, onRefused: (code) => observer.refused(code) });
    this.dialogue =
      dialogue &&
      new Dialogue({
        settings: dialogue,
        pick: () => this.pick(),
        onNoChannel: () => this.#fleet.growFor(1),
        requestTimeoutMs: limits.requestTimeoutMs,
        now,
        random: fleet.random,
        onUnowned: (count) => {
          this.counts.droppedUnowned += count;
        },
      });
    const { minConnections, maxInFlightPerConnection, idCeiling, healthCall: call } = limits;
    const check = (channel: Channel, nowMs: number, timeoutMs: number): void => {
      if (call !== undefined && !channel.inFlight.full) new CheckCall(call, channel, nowMs, timeoutMs);
    };
    this.#fleet = new Fleet({
      ...fleet,
      now,
      minConnections,
      capacityPerConnection: maxInFlightPerConnection,
      share: (upstream, endpoint) =>
        new Channel(
          upstream,
          endpoint,
          this,
          maxInFlightPerConnection,
          idCeiling,
          call === undefined ? 0 : 1,
        ),
      ...(call === undefined ? {} : { callForHealth: check }),
      waiting: () => this.#queue.size,
      onOpened: (channel) => this.onRoom(channel),
      onHopeless: () => this.#failWaiting(),
      onSweep: () => this.sweep(),
      onMoreRoom: () => this.#serveAll(),
    });
    this.#fleet.start();
  }

  /** The connections that are open, draining ones included. */
  get channels(): readonly Channel[] {
    return this.#fleet.connections;
  }

  /** Requests that wait for a channel. */
  get waiting(): number {
    return this.#queue.size;
  }

  /** Requests sent and not answered, those of clients that left included. */
  get inFlight(): number {
    return this.#fleet.load;
  }

  /** False when no connection is open and the last dial to every endpoint failed: a request would wait for nothing. */
  get hopeful(): boolean {
    return this.#fleet.hopeful;
  }

  /** Milliseconds until the next dial; what a refused client is told. */
  get retryAfterMs(): number {
    return this.#fleet.retryAfterMs;
  }

  get paused(): boolean {
    return this.#fleet.paused;
  }

  get quiet(): boolean {
    return this.#fleet.quiet;
  }

  unanswered(): ReadonlyMap<Endpoint, number> {
    return this.#fleet.loads();
  }

  get replacing(): number {
    return this.#fleet.replacing;
  }

  /** Holds all requests in the queue from now on; what is in flight is still answered. */
  pause(): void {
    this.#fleet.pause();
    this.#renewQueueDeadlines();
  }

  /** Sends what was held. What it may still wait in the queue begins anew. */
  resume(): void {
    if (!this.paused) return;
    this.#fleet.resume();
    this.#renewQueueDeadlines();
    this.#grow();
  }

  reconnect(): void {
    this.#fleet.reconnect();
  }

  onEndpointsChanged(): void {
    this.#fleet.onEndpointsChanged();
    this.#grow();
  }

  /** There is a place as long as there is hope: connections are nobody's own. */
  acquire({ protocols }: DialRequest, handlers: SeatHandlers, priority: Priority): () => void {
    if (this.hopeful) {
      handlers.onSeat(new SharedSeat(protocols[0] ?? '', (client) => this.lease(client, priority)));
    } else {
      handlers.onRefused({ status: undefined, retryAfterMs: this.retryAfterMs });
    }
    return () => undefined;
  }

  /** `priority` is the class of its requests whose method has none of its own. */
  lease(client: ClientSide, priority: Priority = Priority.medium): RequestLease {
    return new RequestLease(client, this, priority);
  }

  pick(): Channel | undefined {
    return this.#fleet.pick();
  }

  admit(request: Request): number {
    const nowMs = this.#now();
    request.acceptedAtMs = nowMs;
    request.deadlineMs = nowMs + this.limits.requestTimeoutMs;
    request.queueDeadlineMs = this.#queueDeadlineOf(request, nowMs);
    if (!request.isNotification) {
      this.counts.accepted++;
      this.#retries.earn();
    }
    return nowMs;
  }

  countReply(acceptedAtMs: number, sentAtMs: number): number {
    const nowMs = this.#now();
    this.counts.replied++;
    this.observer.replied((nowMs - acceptedAtMs) / 1_000);
    this.observer.upstreamAnswered((nowMs - sentAtMs) / 1_000);
    return nowMs - acceptedAtMs;
  }

  countError(code: ErrorCode, acceptedAtMs: number): number {
    this.counts.errored++;
    this.observer.refused(code);
    return this.#now() - acceptedAtMs;
  }

  countAnswer(acceptedAtMs: number): number {
    const tookMs = this.#now() - acceptedAtMs;
    this.counts.replied++;
    this.observer.replied(tookMs / 1_000);
    return tookMs;
  }

  submit(channel: Channel, lease: Requester, request: Request, nowMs: number): void {
    // Only a client's own request is marked as one to be shared.
    if (request.shareKey !== undefined && lease instanceof RequestLease) {
      this.dialogue!.submit(channel, lease, request, nowMs);
    } else {
      channel.submit(lease, request, nowMs);
    }
  }

  enqueue(lease: Requester, request: Request): void {
    if (!this.hopeful) return lease.failRequest(request, ErrorCode.NoUpstream);
    if (!this.#queue.hasRoomFor(lease, request)) {
      if (this.#queue.isFullFor(lease, request)) this.turnedAway++;
      return lease.failRequest(request, ErrorCode.QueueFull);
    }
    this.#queue.push(lease, request.keep());
    this.#grow();
  }

  /** A slot became free, or bytes could be written: lets those who wait have it, in turn. */
  onRoom(channel: Channel): void {
    this.dialogue?.onRoom(channel);
    if (this.#queue.size > 0) {
      this.#serve(channel);
      // A client that was bound to this channel until now may go to another, should this one take no more.
      const other = this.#queue.hasUnbound ? this.pick() : undefined;
      if (other !== undefined) this.#serve(other);
    }
    this.#fleet.closeIfDrained(channel);
  }

  onUnbound(lease: Requester): void {
    lease.channel = undefined;
    this.#queue.place(lease);
  }

  forget(lease: Requester): void {
    this.#queue.forget(lease);
  }

  /** No more requests on this channel; it closes when it is empty, and another takes its place. */
  retire(channel: Channel): void {
    this.#fleet.retire(channel);
  }

  countAbandoned(requests: number): void {
    this.counts.abandoned += requests;
  }

  onAnswer(channel: Channel, slot: number, buf: Uint8Array, errorStart: number, end: number): void {
    const { faultCodes } = this.limits;
    const code =
      errorStart < 0 || faultCodes.size === 0 ? NaN : errorCode(buf, errorStart, end, this.#scratch);
    channel.endpoint.answered(channel.inFlight.sentAtMs(slot), this.#now(), faultCodes.has(code));
  }

  onUnknownId(channel: Channel, wireId: number, buf: Uint8Array, start: number, end: number): void {
    if (this.dialogue?.onLateReply(channel, wireId, buf, start, end) !== true) this.counts.droppedUnknownId++;
  }

  onUnasked(channel: Channel, scan: Scan, buf: Uint8Array, start: number, end: number): void {
    if (this.dialogue?.onUnasked(channel, scan, buf, start, end) !== true) this.onUnowned(scan.kind);
  }

  onUnowned(kind: ScanKind): void {
    if (kind === ScanKind.Request || kind === ScanKind.Notification) this.counts.droppedUnowned++;
    else this.counts.droppedMalformed++;
  }

  /** The connection is lost: what was never written moves on, the rest ends in an error or is tried once more. */
  onChannelGone(channel: Channel, code: number): void {
    if (!this.paused) this.counts.upstreamsLost++;
    this.#fleet.lost(channel, code);
    const unsent = recoverUnsent(channel, this.limits.methods);
    const moved: Moved[] = [];
    const unsentSlots = new Set(unsent.map(({ slot }) => slot));
    for (const slot of channel.inFlight.taken()) {
      const lease = channel.inFlight.owners[slot];
      if (lease === undefined || unsentSlots.has(slot)) continue;
      const request = this.#retries.take(channel, slot);
      if (request === undefined) {
        lease.failSlot(slot, ErrorCode.OutcomeUnknown);
      } else {
        this.counts.retries++;
        moved.push({ slot, lease, request });
        this.#retries.backOff(lease, request);
      }
    }
    // What was written came first, so this is the order in which the clients sent it.
    moved.push(...unsent);
    for (const { slot, lease } of moved) if (slot >= 0) lease.dropSlot(slot);
    for (const lease of channel.waiting.list()) this.onUnbound(lease);
    // Newest first, each to the front, so that a client's requests keep their order.
    for (const { lease, request } of moved.reverse()) this.#requeue(lease, request);
    this.dialogue?.onChannelGone(channel);
    for (const other of this.channels) this.#serve(other);
    this.#fleet.replace();
    this.#grow();
  }

  /** Ends what has waited or been in flight for too long. */
  sweep(): void {
    const nowMs = this.#now();
    for (const channel of [...this.channels]) {
      const expired = channel.inFlight.expired(nowMs);
      for (const slot of expired) {
        channel.overdue(slot, nowMs);
        const lease = channel.inFlight.owners[slot];
        if (lease === undefined) channel.inFlight.release(slot, -1);
        else lease.failSlot(slot, ErrorCode.Timeout);
      }
      if (expired.length > 0) this.onRoom(channel);
      if (channel.draining) this.#serveBehindCalls(channel, nowMs);
    }
    if (this.#queue.size > 0) this.#sweepWaiting(nowMs);
    if (this.dialogue === undefined) return;
    if (this.paused) this.dialogue.subscriptions?.holdRestores(nowMs);
    this.dialogue.sweep(nowMs);
    for (const channel of [...this.channels]) this.#fleet.closeIfDrained(channel);
  }

  figures(): ModeFigures {
    const { counts, inFlight, waiting, dialogue } = this;
    return {
      ...counts,
      passedOn: 0,
      connections: openConnections(this.channels),
      inFlight,
      waiting,
      subscriptions: {
        client: dialogue?.subscriptions?.owned ?? 0,
        upstream: dialogue?.subscriptions?.placed ?? 0,
      },
      coalesced: dialogue?.coalescing.coalesced ?? 0,
    };
  }

  close(code: number, reason: string): void {
    this.#retries.stop();
    this.#fleet.close(code, reason);
  }

  /** How long it may stay in the queue; in a pause only the request time-out counts. */
  #queueDeadlineOf({ deadlineMs }: Request, nowMs: number): number {
    return this.paused ? deadlineMs : Math.min(nowMs + this.limits.queue.timeoutMs, deadlineMs);
  }

  #renewQueueDeadlines(): void {
    const nowMs = this.#now();
    for (const lease of this.#queue.leases(this.channels)) {
      for (const request of lease.waiting) request.queueDeadlineMs = this.#queueDeadlineOf(request, nowMs);
      lease.waiting.dueAtMs = nowMs;
    }
  }

  #sweepWaiting(nowMs: number): void {
    for (const lease of this.#queue.leases(this.channels)) {
      for (const request of this.#queue.expired(lease, nowMs)) {
        const code = request.deadlineMs <= nowMs ? ErrorCode.Timeout : ErrorCode.QueueFull;
        if (!this.paused) this.turnedAway++;
        lease.failRequest(request, request.wasWritten ? ErrorCode.OutcomeUnknown : code);
      }
    }
  }

  /** Back to the queue after its connection was lost, before what its client has waiting there. */
  #requeue(lease: Requester, request: Request): void {
    const nowMs = this.#now();
    const fromMs = request.wasWritten ? Math.max(nowMs, lease.heldUntilMs) : nowMs;
    request.queueDeadlineMs = this.#queueDeadlineOf(request, fromMs);
    this.#queue.unshift(lease, request);
  }

  #endBackoffs(): void {
    const nextMs = this.#queue.release(this.#now());
    this.#retries.ringAt(nextMs);
    for (const channel of this.channels) this.#serve(channel);
    this.#grow();
  }

  /** Lets those who wait have what has become available. */
  #serveAll(): void {
    for (const channel of this.#queue.size > 0 ? this.channels : []) this.#serve(channel);
  }

  #serve(channel: Channel): void {
    while (channel.available) {
      const lease = this.#queue.next(channel);
      if (lease === undefined) return;
      this.#sendFirst(channel, lease, this.#now());
    }
  }

  /** Nowhere else could it keep its order, and its client's call may take longer than it may wait. */
  #serveBehindCalls(channel: Channel, nowMs: number): void {
    for (const lease of channel.waiting.list()) {
      for (const request of lease.waiting) {
        const isDue = nowMs - request.acceptedAtMs >= drainPatienceMs;
        if (!isDue || lease.channel !== channel || !channel.takesBehindCalls) break;
        this.#sendFirst(channel, lease, nowMs);
      }
    }
  }

  #sendFirst(channel: Channel, lease: Requester, nowMs: number): void {
    const request = this.#queue.shift(lease);
    this.submit(channel, lease, request, nowMs);
    if (request.isNotification) request.batch?.settle(request.batchIndex, undefined);
    // To the end of its ring: the next slot is somebody else's.
    this.#queue.place(lease);
  }

  /** Asks for one more connection when those being dialled would not do for all that wait for one. */
  #grow(): void {
    if (this.#queue.hasUnbound) this.#fleet.growFor(this.#queue.size);
  }

  #failWaiting(): void {
    for (const lease of this.#queue.leases(this.channels)) {
      while (lease.waiting.length > 0) {
        const request = this.#queue.shift(lease);
        lease.failRequest(request, request.wasWritten ? ErrorCode.OutcomeUnknown : ErrorCode.NoUpstream);
      }
    }
  }
}
