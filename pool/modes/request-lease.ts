import { isUtf8 } from 'node:buffer';
import { Charge, type ClientSide, type Lease, type LeaseFigures } from '../client-side.ts';
import { Batch } from '../jsonrpc/batch.ts';
import { ERROR_MESSAGES, ErrorCode, errorReply } from '../jsonrpc/errors.ts';
import { plainMethod, type MethodTable } from '../jsonrpc/method-table.ts';
import type { Request } from '../jsonrpc/request.ts';
import { ScanKind, scanRequest, type Scan } from '../jsonrpc/scan.ts';
import { splitBatch, type BatchFault } from '../jsonrpc/split-batch.ts';
import type { Priority } from '../priority.ts';
import type { WaitRing, Waiter } from '../queue.ts';
import type { Channel, Requester } from './channel.ts';
import { chargeBatch, chargeScanned, refusedReply } from './charges.ts';
import { WaitingRequests } from './waiting-requests.ts';

const none = -1;

const batchFaults: Readonly<Record<BatchFault, string>> = {
  'not-json': '',
  empty: 'the batch is empty',
  'too-many': 'the batch has too many elements',
  'too-deep': 'the message nests too deep',
};

/** What a lease needs of its pool. */
export interface LeaseHost {
  readonly limits: LeaseLimits;
  /** Reused for every message: filled, used and forgotten within one call. */
  readonly scan: Scan;
  readonly request: Request;
  /** Counts a request or notification in and sets its deadlines; returns the time. */
  admit(request: Request): number;
  /** A channel with room, or undefined. */
  pick(): Channel | undefined;
  /** Puts a request in the queue, or fails it when the queue is full or there is nothing to wait for. */
  enqueue(lease: Requester, request: Request): void;
  /** The client has nothing in flight any more: what it has waiting may go anywhere. */
  onUnbound(lease: Requester): void;
  /** The client left: its place in the queue is free. */
  forget(lease: Requester): void;
  countReply(acceptedAtMs: number, sentAtMs: number): void;
  /** An accepted request ended in an error made here. */
  countError(code: ErrorCode): void;
  /** Something that never was a request was answered with an error. */
  countRefusal(code: ErrorCode): void;
  /** Accepted requests ended because their client left. */
  countAbandoned(requests: number): void;
}

export interface LeaseLimits {
  readonly maxInFlightPerClient: number;
  readonly maxBatchSize: number;
  /** What the replies of a batch may have together. */
  readonly maxBatchReplyBytes: number;
  readonly maxRetries: number;
  readonly methods: MethodTable;
}

/** A client's hold on a pool in request mode: what it has in flight, all on one channel, and what it has waiting. */
export class RequestLease implements Lease, Requester {
  readonly chargesRequests = true;
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
  readonly #client: ClientSide;
  readonly #host: LeaseHost;
  #recent: Channel | undefined;
  #inFlight = 0;
  #refusing = false;
  #released = false;

  constructor(client: ClientSide, host: LeaseHost, priority: Priority) {
    this.#client = client;
    this.priority = priority;
    this.#host = host;
  }

  get released(): boolean {
    return this.#released;
  }

  get busy(): boolean {
    return this.#inFlight > 0 || this.waiting.length > 0;
  }

  send(bytes: Uint8Array, isBinary: boolean): boolean {
    const { scan } = this.#host;
    scanRequest(bytes, 0, bytes.length, scan);
    if (isBinary && !isUtf8(bytes)) scan.kind = ScanKind.NotJson;
    if (scan.kind === ScanKind.Batch) {
      this.#acceptBatch(bytes);
      return true;
    }
    const charge = chargeScanned(this.#client, scan, bytes);
    if (charge === Charge.paid) this.#acceptScanned(bytes, 0, bytes.length, undefined, 0);
    else this.#refuseCharge(charge, bytes);
    return true;
  }

  figures(): LeaseFigures {
    return { inFlight: this.#inFlight, waiting: this.waiting.length };
  }

  refuseNew(): void {
    this.#refusing = true;
  }

  release(): void {
    if (this.#released) throw new Error('bug: a lease was released twice');
    this.#released = true;
    const inFlight = this.channel?.inFlight.abandon(this.head) ?? 0;
    let waiting = 0;
    for (const request of this.waiting) if (!request.isNotification) waiting++;
    this.head = none;
    this.channel = undefined;
    this.#inFlight = 0;
    this.#host.countAbandoned(inFlight + waiting);
    this.#host.forget(this);
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
    this.#host.countReply(inFlight.acceptedAtMs(slot), inFlight.sentAtMs(slot));
    const kept = inFlight.kept[slot];
    // The slot is free before anything is sent; its id stays readable until the slot is claimed again.
    this.dropSlot(slot);
    const id = inFlight.idBytes;
    const from = inFlight.idStart(slot);
    const to = inFlight.idEnd(slot);
    if (kept?.batch === undefined) {
      this.#client.deliverSpliced(buf, start, idStart, idEnd, end, id, from, to);
    } else {
      kept.batch.settle(
        kept.batchIndex,
        kept.batch.hasRoomFor(end - start)
          ? Buffer.concat([buf.subarray(start, idStart), id.subarray(from, to), buf.subarray(idEnd, end)])
          : errorReply(
              id,
              from,
              to,
              ErrorCode.QueueFull,
              'The replies of this batch are too large together: send fewer at once.',
            ),
      );
    }
  }

  /** Answers a request in flight with an error made here, and frees its slot. */
  failSlot(slot: number, code: ErrorCode): void {
    const { inFlight } = this.channel!;
    const id = inFlight.idBytes;
    const reply = errorReply(id, inFlight.idStart(slot), inFlight.idEnd(slot), code, ERROR_MESSAGES[code]);
    const kept = inFlight.kept[slot];
    this.dropSlot(slot);
    this.#fail(reply, code, kept);
  }

  /** Answers a request that never got a slot, or lost it, with an error made here. */
  failRequest(request: Request, code: ErrorCode, message: string = ERROR_MESSAGES[code]): void {
    if (request.isNotification) {
      request.batch?.settle(request.batchIndex, undefined);
      return;
    }
    this.#fail(errorReply(request.id, request.idStart, request.idEnd, code, message), code, request);
  }

  /** Takes the slot out of the table without an answer. */
  dropSlot(slot: number): void {
    this.head = this.channel!.inFlight.release(slot, this.head);
    if (--this.#inFlight === 0) this.#host.onUnbound(this);
  }

  #fail(reply: Uint8Array, code: ErrorCode, request: Request | undefined): void {
    this.#host.countError(code);
    if (request?.batch === undefined) this.#client.send(reply, false);
    else request.batch.settle(request.batchIndex, reply);
  }

  #acceptBatch(bytes: Uint8Array): void {
    const ranges: [number, number][] = [];
    const { maxBatchSize } = this.#host.limits;
    const fault = splitBatch(bytes, 0, bytes.length, maxBatchSize, (start, end) => ranges.push([start, end]));
    if (fault !== undefined) {
      const charge = chargeScanned(this.#client, this.#host.scan, bytes);
      if (charge !== Charge.paid) return this.#refuseCharge(charge, bytes);
      const code = fault === 'not-json' ? ErrorCode.ParseError : ErrorCode.InvalidRequest;
      return this.#refuse(code, batchFaults[fault]);
    }
    const charges = chargeBatch(this.#client, this.#host.scan, bytes, ranges);
    if (charges === undefined) return;
    const batch = new Batch(ranges.length, this.#host.limits.maxBatchReplyBytes, (answer) => {
      if (!this.#released) this.#client.send(answer, false);
    });
    ranges.forEach(([start, end], index) => {
      scanRequest(bytes, start, end, this.#host.scan);
      const charge = charges[index] ?? Charge.paid;
      if (charge === Charge.paid) this.#acceptScanned(bytes, start, end, batch, index);
      else this.#refuseCharge(charge, bytes, batch, index);
    });
  }

  /** What a rate limit refused was never accepted, so no ledger counts it. */
  #refuseCharge(charge: number, bytes: Uint8Array, batch?: Batch, index = 0): void {
    if (charge === Charge.notNow) return;
    const reply = refusedReply(charge, this.#host.scan, bytes);
    if (charge !== Charge.dropped) this.#host.countRefusal(ErrorCode.RateLimited);
    if (batch !== undefined) batch.settle(index, reply);
    else if (reply !== undefined) this.#client.send(reply, false);
  }

  #acceptScanned(
    bytes: Uint8Array,
    start: number,
    end: number,
    batch: Batch | undefined,
    index: number,
  ): void {
    const { scan, request } = this.#host;
    if (scan.kind > ScanKind.Notification) {
      this.#refuseScanned(bytes, batch, index);
      return;
    }
    request.describe(bytes, start, end, scan);
    request.traits = this.#host.limits.methods.find(bytes, scan.methodStart, scan.methodEnd);
    request.batch = batch;
    request.batchIndex = index;
    this.#accept(request);
  }

  /** The path of every request: counted, checked, then written to a channel or put in the queue. */
  #accept(request: Request): void {
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
    if (this.#inFlight + this.waiting.length >= host.limits.maxInFlightPerClient) {
      return this.failRequest(
        request,
        ErrorCode.QueueFull,
        'This client has too many requests in flight: wait for replies.',
      );
    }
    const channel = this.waiting.length > 0 ? undefined : (this.channel ?? this.#takeRecent() ?? host.pick());
    if (channel?.available !== true) return host.enqueue(this, request);
    channel.submit(this, request, nowMs);
    if (!request.isNotification) return;
    this.#recent = channel;
    request.batch?.settle(request.batchIndex, undefined);
  }

  /** Where the last message went when it was a notification, so that what follows does not overtake it. */
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
    return this.waiting.hasIdOf(request);
  }

  /** Answers what is not a request: it was never accepted, so no ledger counts it. */
  #refuseScanned(bytes: Uint8Array, batch: Batch | undefined, index: number): void {
    const { scan } = this.#host;
    if (scan.kind === ScanKind.Response || scan.kind === ScanKind.Batch) scan.idStart = none;
    const code = scan.kind === ScanKind.NotJson ? ErrorCode.ParseError : ErrorCode.InvalidRequest;
    const words = scan.kind === ScanKind.Response ? 'no request awaits this response' : scan.fault;
    this.#refuse(code, words, bytes, batch, index);
  }

  #refuse(code: ErrorCode, words: string, bytes?: Uint8Array, batch?: Batch, index = 0): void {
    const { scan } = this.#host;
    const message = words === '' ? ERROR_MESSAGES[code] : `${ERROR_MESSAGES[code]} (${words})`;
    const reply = errorReply(bytes, bytes === undefined ? none : scan.idStart, scan.idEnd, code, message);
    this.#host.countRefusal(code);
    if (batch === undefined) this.#client.send(reply, false);
    else batch.settle(index, reply);
  }
}
