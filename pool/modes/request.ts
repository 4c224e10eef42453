import type { Balancer } from '../balancers/balancer.ts';
import type { ClientSide, PoolObserver } from '../client-side.ts';
import type { Connector, PoolLog } from '../connector.ts';
import { plainDial } from '../dial.ts';
import type { Endpoint } from '../endpoint.ts';
import { ErrorCode } from '../jsonrpc/errors.ts';
import { parseWireId } from '../jsonrpc/ids.ts';
import { Request } from '../jsonrpc/request.ts';
import { Scan, ScanKind, scanRequest } from '../jsonrpc/scan.ts';
import { WaitRing } from '../queue.ts';
import type { Upstream } from '../upstream.ts';
import { Channel } from './channel.ts';
import { RequestLease } from './request-lease.ts';
import { RetryBudget } from './retry-budget.ts';

export interface RequestLimits {
  readonly minConnections: number;
  readonly maxInFlightPerConnection: number;
  readonly maxInFlightPerClient: number;
  readonly maxBatchSize: number;
  readonly requestTimeoutMs: number;
  readonly queueMaxSize: number;
  readonly queueMaxBytes: number;
  readonly queueMaxBytesPerClient: number;
  readonly queueTimeoutMs: number;
  readonly maxRetries: number;
  readonly retryBudgetRatio: number;
  readonly statefulMethods: ReadonlySet<string>;
  readonly idempotentMethods: ReadonlySet<string>;
  /** Wire ids stay below it; the connection is replaced before. */
  readonly idCeiling: number;
}

export interface RequestModeOptions {
  readonly connector: Connector;
  readonly balancer: Balancer;
  readonly limits: RequestLimits;
  readonly now: () => number;
  readonly observer: PoolObserver;
  readonly log: PoolLog;
  readonly name: string;
}

/** What has happened since the start. accepted = replied + errored + abandoned + what is in flight or waits now. */
export interface RequestCounts {
  accepted: number;
  replied: number;
  errored: number;
  abandoned: number;
  droppedUnknownId: number;
  droppedUnowned: number;
  droppedMalformed: number;
  upstreamsLost: number;
  retries: number;
}

export function zeroCounts(): RequestCounts {
  return {
    accepted: 0,
    replied: 0,
    errored: 0,
    abandoned: 0,
    droppedUnknownId: 0,
    droppedUnowned: 0,
    droppedMalformed: 0,
    upstreamsLost: 0,
    retries: 0,
  };
}

const sweepIntervalMs = 100;

/** Many clients over few connections: JSON-RPC ids are rewritten on the way out and restored on the way back. */
export class RequestMode {
  readonly counts: RequestCounts = zeroCounts();
  readonly limits: RequestLimits;
  readonly inspectsMethods: boolean;
  /** Reused for every message: filled, used and forgotten within one call. */
  readonly scan = new Scan();
  readonly request = new Request();
  readonly channels: Channel[] = [];
  readonly #connector: Connector;
  readonly #balancer: Balancer;
  readonly #now: () => number;
  readonly #observer: PoolObserver;
  readonly #log: PoolLog;
  readonly #name: string;
  readonly #retryBudget: RetryBudget;
  /** Clients that wait and may use any channel. */
  readonly #waiting = new WaitRing<RequestLease>();
  readonly #sweepTimer: NodeJS.Timeout;
  #waitingCount = 0;
  #waitingBytes = 0;
  #maintainTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor({ connector, balancer, limits, now, observer, log, name }: RequestModeOptions) {
    this.#connector = connector;
    this.#balancer = balancer;
    this.limits = limits;
    this.#now = now;
    this.#observer = observer;
    this.#log = log;
    this.#name = name;
    this.inspectsMethods = limits.statefulMethods.size + limits.idempotentMethods.size > 0;
    this.#retryBudget = new RetryBudget(limits.retryBudgetRatio);
    this.#sweepTimer = setInterval(() => this.sweep(), sweepIntervalMs);
    this.#maintain();
  }

  /** Requests that wait for a channel. */
  get waiting(): number {
    return this.#waitingCount;
  }

  /** Requests sent and not answered, those of clients that left included. */
  get inFlight(): number {
    return this.channels.reduce((sum, channel) => sum + channel.inFlight.size, 0);
  }

  /** False when no connection is open and the last dial to every endpoint failed: a request would wait for nothing. */
  get hopeful(): boolean {
    return this.channels.length > 0 || !this.#connector.allFailing;
  }

  /** Milliseconds until the next dial; what a refused client is told. */
  get retryAfterMs(): number {
    return Math.max(0, this.#connector.nextRetryAtMs - this.#now());
  }

  lease(client: ClientSide): RequestLease {
    return new RequestLease(client, this);
  }

  /** A channel with room, or undefined. */
  pick(): Channel | undefined {
    return this.#balancer.pick(this.channels);
  }

  /** Counts a request or notification in and sets its deadlines; returns the time. */
  admit(request: Request): number {
    const nowMs = this.#now();
    request.acceptedAtMs = nowMs;
    request.deadlineMs = nowMs + this.limits.requestTimeoutMs;
    request.queueDeadlineMs = Math.min(nowMs + this.limits.queueTimeoutMs, request.deadlineMs);
    if (!request.isNotification) {
      this.counts.accepted++;
      this.#retryBudget.earn();
    }
    return nowMs;
  }

  countReply(acceptedAtMs: number, sentAtMs: number): void {
    const nowMs = this.#now();
    this.counts.replied++;
    this.#observer.replied((nowMs - acceptedAtMs) / 1_000);
    this.#observer.upstreamAnswered((nowMs - sentAtMs) / 1_000);
  }

  /** An accepted request ended in an error made here. */
  countError(code: ErrorCode): void {
    this.counts.errored++;
    this.#observer.refused(code);
  }

  /** Something that never was a request was answered with an error. */
  countRefusal(code: ErrorCode): void {
    this.#observer.refused(code);
  }

  /** Puts a request in the queue, or fails it when the queue is full or there is nothing to wait for. */
  enqueue(lease: RequestLease, request: Request): void {
    if (!this.hopeful) return lease.failRequest(request, ErrorCode.NoUpstream);
    const { queueMaxSize, queueMaxBytes, queueMaxBytesPerClient } = this.limits;
    const overfull = this.#waitingCount >= queueMaxSize || this.#waitingBytes + request.size > queueMaxBytes;
    if (overfull || lease.waitingBytes + request.size > queueMaxBytesPerClient) {
      return lease.failRequest(request, ErrorCode.QueueFull);
    }
    this.#wait(lease, request.keep(), false);
    this.#grow();
  }

  /** A slot became free, or bytes could be written: lets those who wait have it, in turn. */
  onRoom(channel: Channel): void {
    if (this.#waitingCount > 0) {
      this.#serve(channel);
      // A client that was bound to this channel until now may go to another, should this one take no more.
      const other = this.#waiting.first === undefined ? undefined : this.pick();
      if (other !== undefined) this.#serve(other);
    }
    if (channel.draining && channel.inFlight.size === 0) this.#closeChannel(channel);
  }

  /** The client has nothing in flight any more: what it has waiting may go anywhere. */
  onUnbound(lease: RequestLease): void {
    lease.channel = undefined;
    if (lease.waiting.length > 0) this.#waiting.add(lease);
  }

  /** The client left: its place in the queue is free. */
  forget(lease: RequestLease): void {
    lease.ring?.remove(lease);
    this.#waitingCount -= lease.waiting.length;
    this.#waitingBytes -= lease.waitingBytes;
    lease.waiting.length = 0;
    lease.waitingBytes = 0;
  }

  /** No more requests on this channel; it closes when it is empty, and another takes its place. */
  retire(channel: Channel): void {
    channel.draining = true;
    if (channel.inFlight.size === 0) this.#closeChannel(channel);
  }

  onUnowned(kind: ScanKind): void {
    if (kind === ScanKind.Request || kind === ScanKind.Notification) this.counts.droppedUnowned++;
    else this.counts.droppedMalformed++;
  }

  /** The connection is lost: what was never written moves on, the rest ends in an error or is tried once more. */
  onChannelGone(channel: Channel): void {
    this.#log.warn({ pool: this.#name, upstream: channel.upstream.label }, 'upstream connection lost');
    this.counts.upstreamsLost++;
    this.#remove(channel, false);
    const unsent = this.#recoverUnsent(channel);
    const moved: [RequestLease, Request][] = [];
    for (const slot of channel.inFlight.taken()) {
      const lease = channel.inFlight.owners[slot];
      if (lease === undefined) continue;
      const request = unsent.get(slot) ?? this.#retryOf(channel, slot);
      if (request === undefined) {
        lease.failSlot(slot, ErrorCode.OutcomeUnknown);
      } else {
        lease.dropSlot(slot);
        moved.push([lease, request]);
      }
    }
    for (const lease of channel.waiting.list()) this.onUnbound(lease);
    // Newest first, each to the front, so that a client's requests keep their order.
    for (const [lease, request] of moved.reverse()) this.#wait(lease, request, true);
    for (const other of this.channels) if (other.available) this.#serve(other);
    this.#maintain();
    this.#grow();
  }

  /** Ends what has waited or been in flight for too long. */
  sweep(): void {
    const nowMs = this.#now();
    for (const channel of this.channels) {
      const expired = channel.inFlight.expired(nowMs);
      for (const slot of expired) {
        const lease = channel.inFlight.owners[slot];
        if (lease === undefined) channel.inFlight.release(slot, -1);
        else lease.failSlot(slot, ErrorCode.Timeout);
      }
      if (expired.length > 0) this.onRoom(channel);
    }
    if (this.#waitingCount > 0) this.#sweepWaiting(nowMs);
  }

  close(code: number, reason: string): void {
    this.#closed = true;
    clearInterval(this.#sweepTimer);
    clearTimeout(this.#maintainTimer);
    for (const channel of this.channels) channel.upstream.close(code, reason);
    this.channels.length = 0;
  }

  #sweepWaiting(nowMs: number): void {
    for (const lease of this.#waitingLeases()) {
      while (lease.waiting.length > 0 && lease.waiting[0]!.queueDeadlineMs <= nowMs) {
        lease.failRequest(this.#unwait(lease), ErrorCode.QueueFull);
      }
    }
  }

  #waitingLeases(): RequestLease[] {
    return [...this.#waiting.list(), ...this.channels.flatMap((channel) => channel.waiting.list())];
  }

  #wait(lease: RequestLease, request: Request, first: boolean): void {
    if (first) lease.waiting.unshift(request);
    else lease.waiting.push(request);
    lease.waitingBytes += request.size;
    this.#waitingCount++;
    this.#waitingBytes += request.size;
    if (lease.ring === undefined) (lease.channel?.waiting ?? this.#waiting).add(lease);
  }

  #unwait(lease: RequestLease): Request {
    const request = lease.waiting.shift()!;
    lease.waitingBytes -= request.size;
    this.#waitingCount--;
    this.#waitingBytes -= request.size;
    if (lease.waiting.length === 0) lease.ring?.remove(lease);
    return request;
  }

  #serve(channel: Channel): void {
    while (channel.available) {
      const [preferred, other] = channel.favoursBound
        ? [channel.waiting, this.#waiting]
        : [this.#waiting, channel.waiting];
      const lease = preferred.first ?? other.first;
      if (lease === undefined) return;
      channel.favoursBound = !channel.favoursBound;
      const request = this.#unwait(lease);
      channel.submit(lease, request, this.#now());
      if (request.isNotification) request.batch?.settle(request.batchIndex, undefined);
      // To the end of its ring: the next slot is somebody else's.
      if (lease.waiting.length > 0) (lease.channel?.waiting ?? this.#waiting).add(lease);
    }
  }

  /** The requests among the bytes that were never written, by slot, with their own ids again. */
  #recoverUnsent(channel: Channel): Map<number, Request> {
    const unsent = new Map<number, Request>();
    const { inFlight, upstream } = channel;
    upstream.unsent((buf, start, end) => {
      scanRequest(buf, start, end, this.scan);
      const slot = inFlight.find(parseWireId(buf, this.scan.idStart, this.scan.idEnd));
      if (slot >= 0) unsent.set(slot, this.#restore(channel, slot, buf, start, end));
      else if (this.scan.kind === ScanKind.Notification) this.pick()?.upstream.send(buf, start, end, false);
    });
    return unsent;
  }

  /** A request as its client sent it, from the bytes made for the upstream. */
  #restore(channel: Channel, slot: number, buf: Uint8Array, start: number, end: number): Request {
    const { inFlight } = channel;
    const { idStart, idEnd } = this.scan;
    const id = inFlight.idBytes.slice(inFlight.idStart(slot), inFlight.idEnd(slot));
    const request = inFlight.kept[slot] ?? new Request();
    request.bytes = Buffer.concat([buf.subarray(start, idStart), id, buf.subarray(idEnd, end)]);
    request.start = 0;
    request.end = request.bytes.length;
    request.cutStart = idStart - start;
    request.cutEnd = request.cutStart + id.length;
    request.id = id;
    request.idStart = 0;
    request.idEnd = id.length;
    request.idHash = inFlight.idHash(slot);
    request.acceptedAtMs = inFlight.acceptedAtMs(slot);
    request.deadlineMs = inFlight.deadlineMs(slot);
    request.queueDeadlineMs = this.#now() + this.limits.queueTimeoutMs;
    return request;
  }

  /** The kept request when it was written but may be sent again, within the budget. */
  #retryOf(channel: Channel, slot: number): Request | undefined {
    const kept = channel.inFlight.kept[slot];
    if (kept === undefined || kept.retriesLeft === 0 || !this.#retryBudget.spend()) return undefined;
    this.counts.retries++;
    kept.retriesLeft--;
    kept.queueDeadlineMs = this.#now() + this.limits.queueTimeoutMs;
    return kept;
  }

  /** Dials until the pool has its minimum, spread evenly: what one endpoint cannot give is not taken from another. */
  #maintain(): void {
    clearTimeout(this.#maintainTimer);
    if (this.#closed) return;
    const connector = this.#connector;
    const share = Math.ceil(this.limits.minConnections / connector.endpoints.length) || 1;
    const lacking = connector.endpoints.filter((endpoint) => endpoint.connections < share);
    for (const endpoint of lacking) {
      const ready = endpoint.retryAtMs <= this.#now();
      while (ready && endpoint.connections < share && !connector.atCapacity) this.#open(endpoint);
    }
    const retryAtMs = Math.min(
      ...lacking.filter((endpoint) => endpoint.connections < share).map((e) => e.retryAtMs),
    );
    if (connector.atCapacity || retryAtMs === Infinity) return;
    this.#maintainTimer = setTimeout(() => this.#maintain(), Math.max(10, retryAtMs - this.#now()));
  }

  /** Dials one more connection when nothing has room and those under way would not do. */
  #grow(): void {
    const connector = this.#connector;
    if (this.#waiting.first === undefined || this.#closed || !connector.mayGrow) return;
    if (connector.dialing * this.limits.maxInFlightPerConnection >= this.#waitingCount) return;
    const endpoint = connector.pickForBackground();
    if (endpoint !== undefined) this.#open(endpoint);
  }

  #open(endpoint: Endpoint): void {
    this.#connector.connect(endpoint, plainDial, {
      onOpen: (upstream) => this.#onOpen(upstream, endpoint),
      onFailure: () => {
        if (!this.hopeful) this.#failWaiting();
        this.#maintain();
      },
    });
  }

  #onOpen(upstream: Upstream, endpoint: Endpoint): void {
    if (this.#closed) return upstream.close(1001, '');
    const { maxInFlightPerConnection, idCeiling } = this.limits;
    const channel = new Channel(upstream, endpoint, this, maxInFlightPerConnection, idCeiling);
    this.channels.push(channel);
    this.#log.info({ pool: this.#name, upstream: upstream.label }, 'upstream connection opened');
    if (this.#waitingCount > 0) this.#serve(channel);
  }

  #failWaiting(): void {
    for (const lease of this.#waitingLeases()) {
      while (lease.waiting.length > 0) lease.failRequest(this.#unwait(lease), ErrorCode.NoUpstream);
    }
  }

  #closeChannel(channel: Channel): void {
    this.#remove(channel, true);
    channel.upstream.close(1000, '');
    this.#maintain();
  }

  #remove(channel: Channel, expected: boolean): void {
    const index = this.channels.indexOf(channel);
    if (index < 0) throw new Error('bug: a channel was removed twice');
    this.channels.splice(index, 1);
    this.#connector.closed(channel.endpoint, expected);
  }
}
