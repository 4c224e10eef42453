import {
  Charge,
  type ClientSide,
  type Lease,
  type LeaseFigures,
  type PoolObserver,
  type SeatHandlers,
} from '../client-side.ts';
import type { DialRequest } from '../dial.ts';
import { ERROR_MESSAGES, ErrorCode, errorReply } from '../jsonrpc/errors.ts';
import { Scan, ScanKind, scanRequest } from '../jsonrpc/scan.ts';
import { splitBatch } from '../jsonrpc/split-batch.ts';
import type { Mode } from '../mode.ts';
import { noFigures, type ModeFigures } from '../pool-figures.ts';
import { chargeBatch, chargeScanned, refusedReply } from './charges.ts';
import { SharedSeat } from './shared-seat.ts';

/** What the embedded echo back end answers: every message as it is, JSON-RPC requests with their params, or either by what comes. */
export type EchoStyle = 'verbatim' | 'json-rpc' | 'both';

const ignore = (): void => undefined;
const maxBatchSize = 1_000;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

export interface EchoModeOptions {
  readonly style: EchoStyle;
  readonly observer: PoolObserver;
  /** In milliseconds, the same all through a turn: when the messages of this turn came. */
  readonly now: () => number;
  /** Likewise, but read anew each time, for an answer is made in the turn that its message comes in. */
  readonly clockMs?: () => number;
}

/** The upstream `echo:`, inside this process: it answers at once and never fails. */
export class EchoMode implements Mode {
  readonly hopeful = true;
  readonly turnedAway = 0;
  readonly style: EchoStyle;
  readonly observer: PoolObserver;
  readonly now: () => number;
  readonly clockMs: () => number;
  readonly scan = new Scan();
  accepted = 0;
  replied = 0;
  errored = 0;
  passedOn = 0;
  #readAtMs = 0;
  #replies = 0;

  constructor({ style, observer, now, clockMs = () => performance.now() }: EchoModeOptions) {
    this.style = style;
    this.observer = observer;
    this.now = now;
    this.clockMs = clockMs;
  }

  /** Reads the clock for the first reply of a turn and every 16th: at a million replies a second it would cost a tenth of them. */
  countReply(cameAtMs: number): void {
    if (this.#readAtMs <= cameAtMs || (++this.#replies & 15) === 0) this.#readAtMs = this.clockMs();
    this.observer.replied((this.#readAtMs - cameAtMs) / 1_000);
  }

  acquire({ protocols }: DialRequest, handlers: SeatHandlers): () => void {
    handlers.onSeat(new SharedSeat(protocols[0] ?? '', (client) => this.lease(client)));
    return () => undefined;
  }

  lease(client: ClientSide): EchoLease {
    return new EchoLease(client, this);
  }

  figures(): ModeFigures {
    return { ...noFigures(), accepted: this.accepted, replied: this.replied, passedOn: this.passedOn };
  }

  close(): void {
    // There is nothing to close.
  }
}

/** One client of the echo back end. */
export class EchoLease implements Lease {
  readonly busy = false;
  readonly chargesRequests: boolean;
  readonly #client: ClientSide;
  readonly #mode: EchoMode;
  /** When the message came that is being answered. */
  #cameAtMs = 0;

  constructor(client: ClientSide, mode: EchoMode) {
    this.#client = client;
    this.#mode = mode;
    this.chargesRequests = mode.style !== 'verbatim';
  }

  send(bytes: Uint8Array, isBinary: boolean): boolean {
    this.#cameAtMs = this.#mode.now();
    if (this.#mode.style === 'verbatim') this.#echo(bytes, isBinary);
    else this.#answer(bytes, isBinary);
    return true;
  }

  figures(): LeaseFigures {
    return { inFlight: 0, waiting: 0 };
  }

  refuseNew(): void {
    // Answers come at once: nothing is ever pending.
  }

  release(): void {
    // Nothing is held.
  }

  #echo(bytes: Uint8Array, isBinary: boolean): void {
    this.#client.send(bytes, isBinary);
    this.#mode.passedOn++;
    this.#countReply();
  }

  #countReply(): void {
    this.#mode.countReply(this.#cameAtMs);
  }

  #answer(bytes: Uint8Array, isBinary: boolean): void {
    const { scan, style } = this.#mode;
    scanRequest(bytes, 0, bytes.length, scan);
    const isRequest = scan.kind === ScanKind.Request || scan.kind === ScanKind.Notification;
    const isBatch =
      scan.kind === ScanKind.Batch && splitBatch(bytes, 0, bytes.length, maxBatchSize, ignore) === undefined;
    if (style === 'both' && !isRequest && !isBatch) {
      const charge = chargeScanned(this.#client, scan, bytes);
      if (charge === Charge.paid) this.#echo(bytes, isBinary);
      return;
    }
    const reply = this.#reply(bytes);
    if (reply !== undefined) this.#client.send(reply, false);
  }

  #reply(bytes: Uint8Array): Uint8Array | undefined {
    const { scan } = this.#mode;
    if (scan.kind !== ScanKind.Batch) {
      const charge = chargeScanned(this.#client, scan, bytes);
      return this.#replyToOne(bytes, 0, bytes.length, charge);
    }
    const ranges: [number, number][] = [];
    const fault = splitBatch(bytes, 0, bytes.length, maxBatchSize, (start, end) => ranges.push([start, end]));
    if (fault !== undefined) {
      const charge = chargeScanned(this.#client, scan, bytes);
      if (charge !== Charge.paid) return this.#refusal(bytes, charge);
      return this.#error(bytes, fault === 'not-json' ? ErrorCode.ParseError : ErrorCode.InvalidRequest);
    }
    const charges = chargeBatch(this.#client, scan, bytes, ranges);
    if (charges === undefined) return undefined;
    const replies = ranges.flatMap(([start, end], index) => {
      scanRequest(bytes, start, end, scan);
      const reply = this.#replyToOne(bytes, start, end, charges[index] ?? Charge.paid);
      return reply === undefined ? [] : [decoder.decode(reply)];
    });
    return replies.length === 0 ? undefined : encoder.encode(`[${replies.join(',')}]`);
  }

  #replyToOne(bytes: Uint8Array, start: number, end: number, charge: number): Uint8Array | undefined {
    const { scan } = this.#mode;
    if (charge !== Charge.paid) return this.#refusal(bytes, charge);
    if (scan.kind === ScanKind.Notification) return undefined;
    if (scan.kind === ScanKind.NotJson) return this.#error(bytes, ErrorCode.ParseError);
    if (scan.kind !== ScanKind.Request) return this.#error(bytes, ErrorCode.InvalidRequest);
    this.#mode.accepted++;
    this.#mode.replied++;
    const { params } = JSON.parse(decoder.decode(bytes.subarray(start, end))) as { params?: unknown };
    const id = decoder.decode(bytes.subarray(scan.idStart, scan.idEnd));
    const reply = encoder.encode(`{"jsonrpc":"2.0","result":${JSON.stringify(params ?? null)},"id":${id}}`);
    this.#countReply();
    return reply;
  }

  #refusal(bytes: Uint8Array, charge: number): Uint8Array | undefined {
    if (charge === Charge.notNow) return undefined;
    const reply = refusedReply(charge, this.#mode.scan, bytes);
    if (charge !== Charge.dropped) this.#mode.observer.refused(ErrorCode.RateLimited);
    return reply;
  }

  #error(bytes: Uint8Array, code: ErrorCode): Uint8Array {
    const { scan, observer } = this.#mode;
    observer.refused(code);
    return errorReply(
      scan.kind === ScanKind.Batch ? undefined : bytes,
      scan.idStart,
      scan.idEnd,
      code,
      ERROR_MESSAGES[code],
    );
  }
}
