import { isUtf8 } from 'node:buffer';
import type { Endpoint } from '../endpoint.ts';
import type { SharedConnection } from '../fleet/shared-connection.ts';
import { parseWireId } from '../jsonrpc/ids.ts';
import { InFlight } from '../jsonrpc/in-flight.ts';
import { rewriteTokens, type ProgressToken } from '../jsonrpc/progress-tokens.ts';
import type { Request } from '../jsonrpc/request.ts';
import { Scan, ScanKind, scanReply, scanRequest } from '../jsonrpc/scan.ts';
import type { Priority } from '../waiting/priority.ts';
import { PriorityRings } from '../waiting/priority-rings.ts';
import type { Waiter } from '../waiting/queue.ts';
import type { UpstreamConnection, UpstreamOwner } from '../upstream.ts';
import type { ErrorCode } from '../jsonrpc/errors.ts';
import type { WaitingRequests } from './waiting-requests.ts';

/** A client as its channel and the queue see it; see request-lease.ts. */
export interface Requester extends Waiter {
  /** The client sticks to it while it has something in flight there; undefined otherwise. */
  channel: Channel | undefined;
  /** The client has left. */
  readonly released: boolean;
  /** What was never written may be sent over another connection. */
  readonly moves: boolean;
  /** False for the gateway's own. */
  readonly isClient: boolean;
  /** The newest slot of this client in its channel's table, or −1. */
  readonly head: number;
  /** What waits for a channel, oldest first; kept by the queue. */
  readonly waiting: WaitingRequests;
  /** Nothing of what waits is sent before this time, for one of them is tried again then; 0 when that is not so. */
  heldUntilMs: number;
  /** The class that its requests wait in, where their method has none of its own. */
  readonly priority: Priority;
  /** A request now is in flight on the channel, in that slot. */
  onSubmitted(channel: Channel, slot: number): void;
  /** The reply to the request in that slot arrived; frees the slot. */
  onReply(
    channel: Channel,
    slot: number,
    buf: Uint8Array,
    start: number,
    idStart: number,
    idEnd: number,
    end: number,
  ): void;
  /** Answers the request in that slot with an error made here, and frees the slot. */
  failSlot(slot: number, code: ErrorCode): void;
  /** Answers a request that has no slot with an error made here. */
  failRequest(request: Request, code: ErrorCode): void;
  /** Frees the slot without an answer. */
  dropSlot(slot: number): void;
  /** Hands over a message in which the bytes from cutStart to cutEnd are replaced by the token. */
  deliverNotice(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    token: Uint8Array,
  ): void;
}

/** What a channel tells its pool. */
export interface ChannelHost {
  /** There is room for a request again. */
  onRoom(channel: Channel): void;
  /** A reply to nothing that is in flight: unknown, answered before, or of an earlier connection. */
  onUnknownId(channel: Channel, wireId: number, buf: Uint8Array, start: number, end: number): void;
  /** Something that is no reply; the scan tells what. */
  onUnasked(channel: Channel, scan: Scan, buf: Uint8Array, start: number, end: number): void;
  /** Something that cannot be for anybody; its kind tells what. */
  onUnowned(kind: ScanKind): void;
  /** The wire ids are used up. */
  retire(channel: Channel): void;
  onChannelGone(channel: Channel, code: number): void;
  /** The request in that slot was answered; `errorStart` is where the error of the answer starts, or −1. */
  onAnswer(channel: Channel, slot: number, buf: Uint8Array, errorStart: number, end: number): void;
}

/** One upstream connection shared by many clients: its epoch of wire ids, and who waits for it. */
export class Channel implements SharedConnection, UpstreamOwner {
  readonly upstream: UpstreamConnection;
  readonly endpoint: Endpoint;
  readonly inFlight: InFlight<Requester>;
  /** Clients that must use this connection, for something of theirs is in flight here, and wait for room. */
  readonly waiting = new PriorityRings<Requester>();
  readonly #host: ChannelHost;
  readonly #slots: number;
  readonly #scan = new Scan();
  /** Whose the notifications in the write buffer are, oldest first; there may be some before them that have left it. */
  #notifiers: (Requester | undefined)[] = [];
  /** The only one who has used this connection, as long as there is but one. */
  #only: Requester | undefined;
  #isShared = false;
  /** No new requests: it is closed as soon as it is empty. */
  draining = false;
  /** No new requests, until the pool is paused no more. */
  held = false;
  /** Subscriptions that live on this connection. */
  subscribed = 0;
  /** A bit for each class: whether the next free slot goes to a client that is bound to this connection or to one that is not. */
  favoursBound = 0b111;

  constructor(
    upstream: UpstreamConnection,
    endpoint: Endpoint,
    host: ChannelHost,
    slots: number,
    idCeiling: number,
    /** Slots beside, for calls that are no client's. */
    spareSlots = 0,
  ) {
    this.upstream = upstream;
    this.endpoint = endpoint;
    this.#host = host;
    this.#slots = slots;
    this.inFlight = new InFlight(slots + spareSlots, idCeiling);
    upstream.owner = this;
  }

  get available(): boolean {
    const { upstream, endpoint } = this;
    const { size } = this.inFlight;
    if (size >= this.#slots || !endpoint.admits || !endpoint.slowStart.allows(size, this.#slots))
      return false;
    return upstream.usable && !upstream.congested && !this.draining && !this.held;
  }

  /** There is room for what must use this connection, though it be about to close. */
  get hasRoom(): boolean {
    const { full, exhausted } = this.inFlight;
    return !full && !exhausted && this.upstream.usable && !this.upstream.congested && !this.held;
  }

  /** It is about to close, and takes what its clients send behind a call that they have here all the same. */
  get takesBehindCalls(): boolean {
    return this.draining && this.hasRoom && this.inFlight.size < this.#slots && this.endpoint.admits;
  }

  get occupied(): boolean {
    return this.subscribed > 0;
  }

  get load(): number {
    return this.inFlight.size;
  }

  get latencyMs(): number {
    return this.endpoint.latency.ms;
  }

  get oldestSentAtMs(): number {
    return this.inFlight.oldestSentAtMs();
  }

  /** The only client that this connection has ever served, while it is there; undefined when there were others. */
  get soleClient(): Requester | undefined {
    return this.#isShared || this.#only?.released === true ? undefined : this.#only;
  }

  /** Writes a message of the gateway's own; it does not move to another connection, should this one be lost. */
  tell(bytes: Uint8Array): void {
    if (!this.upstream.usable) return;
    this.#forgetWritten();
    this.#notifiers.push(undefined);
    this.upstream.send(bytes, 0, bytes.length, false);
  }

  /** Writes a request to the upstream and enters it in the table. The channel must be available. */
  submit(lease: Requester, request: Request, nowMs: number): void {
    const { bytes, start, end, cutStart, cutEnd, tokens } = request;
    if (lease !== this.#only) this.#noteUser(lease);
    this.#forgetWritten();
    if (request.isNotification) {
      this.#notifiers.push(lease);
      this.upstream.send(bytes, start, end, false);
      return;
    }
    this.endpoint.asked(nowMs);
    const slot = this.inFlight.claim(lease, lease.head, request, nowMs);
    if (request.isNeededAgain) this.inFlight.kept[slot] = request.keep();
    lease.onSubmitted(this, slot);
    const wireId = this.inFlight.wireId(slot);
    if (tokens === undefined) this.upstream.sendSpliced(bytes, start, cutStart, cutEnd, end, wireId);
    else this.#sendWithTokens(request, tokens, wireId);
    if (this.inFlight.exhausted) this.#host.retire(this);
  }

  /** Whose each notification is that was never written, oldest first. */
  unsentNotifiers(): (Requester | undefined)[] {
    let unsent = 0;
    this.upstream.unsent((buf, start, end) => {
      scanRequest(buf, start, end, this.#scan);
      if (this.#scan.kind === ScanKind.Notification) unsent++;
    });
    return unsent === 0 ? [] : this.#notifiers.slice(-unsent);
  }

  onUpstreamMessage(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    const scan = this.#scan;
    scanReply(buf, start, end, scan);
    if (isBinary && !isUtf8(buf.subarray(start, end))) return this.#host.onUnowned(scan.kind);
    if (scan.kind !== ScanKind.Response) return this.#host.onUnasked(this, scan, buf, start, end);
    const wireId = parseWireId(buf, scan.idStart, scan.idEnd);
    const slot = this.inFlight.find(wireId);
    if (slot < 0) return this.#host.onUnknownId(this, wireId, buf, start, end);
    this.#host.onAnswer(this, slot, buf, scan.errorStart, end);
    const lease = this.inFlight.owners[slot];
    if (lease === undefined) this.inFlight.release(slot, -1);
    else lease.onReply(this, slot, buf, start, scan.idStart, scan.idEnd, end);
    this.#host.onRoom(this);
  }

  #sendWithTokens(request: Request, tokens: readonly ProgressToken[], wireId: number): void {
    const { bytes, start, end } = request;
    const own = rewriteTokens(bytes, start, request.cutStart, request.cutEnd, end, tokens, wireId);
    this.upstream.sendSpliced(own.bytes, 0, own.cutStart, own.cutEnd, own.bytes.length, wireId);
  }

  /** Of what is all written nothing can move any more. */
  #forgetWritten(): void {
    if (this.#notifiers.length > 0 && this.upstream.pendingBytes === 0) this.#notifiers = [];
  }

  #noteUser(lease: Requester): void {
    this.#isShared ||= this.#only !== undefined || !lease.isClient;
    this.#only = lease;
  }

  onUpstreamWritable(): void {
    this.#host.onRoom(this);
  }

  onUpstreamGone(code: number): void {
    this.#host.onChannelGone(this, code);
  }

  /**
   * The request in that slot has not been answered in time. What waited here for most of it is not held against the upstream,
   * unless the upstream has been silent for as long: then that is what it waited for.
   */
  overdue(slot: number, nowMs: number): void {
    const { endpoint, inFlight } = this;
    const sentAtMs = inFlight.sentAtMs(slot);
    const sinceMs = Math.min(sentAtMs, endpoint.silentSinceMs);
    if (nowMs - sinceMs >= sinceMs - inFlight.acceptedAtMs(slot)) endpoint.timedOut(sentAtMs, nowMs);
    else endpoint.breaker.abandoned(sentAtMs);
  }
}
