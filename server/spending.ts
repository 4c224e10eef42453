import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { Charge, type ClientAllowance, type RequestRange } from '../pool/client-side.ts';
import { methodName } from '../pool/jsonrpc/method-name.ts';
import { isEscaped } from '../pool/jsonrpc/ids.ts';
import { noMethod, Verdict, type Allowance, type MethodBytes } from '../ratelimit/allowance.ts';
import type { ClientKeys } from '../ratelimit/limit-config.ts';
import type { Undecided } from '../ratelimit/limit.ts';
import type { Limits } from '../ratelimit/limits.ts';
import type { ErrorType } from './close-codes.ts';
import { HeldMessages } from './held-messages.ts';

export interface SpendingContext {
  readonly limits: Limits;
  readonly metrics: GatewayMetrics;
  readonly errorIndex: Readonly<Record<ErrorType, number>>;
  readonly maxBackpressureBytes: number;
  /** One time for a whole turn of the event loop, and the time as it passes. */
  readonly now: () => number;
  readonly clockMs: () => number;
}

/** Whose messages are paid for. */
export interface Spender {
  /** Sends a message on; it is charged on the way. */
  forward(bytes: Uint8Array, isBinary: boolean): void;
  fail(cause: 'rate-limited'): void;
}

/**
 * A client that keeps the event loop this long, in one turn, with nothing but what is refused, is ended: nobody else would get
 * theirs.
 */
const maxFloodMs = 250;
/** How much is refused between two looks at the clock: bytes, and for each refusal some more. */
const floodLook = 65_536;
const refusalWeight = 256;
/** Advice to a client of whom too much waits. */
const tooMuchWaitsMs = 1_000;
const paid: readonly number[] = [Charge.paid];
/** Not a time: nothing of the message that is being forwarded has to wait. */
const notHeld = -1;

/** What one client spends of its allowance: each message is paid for and goes, is refused, or waits here until it may go. */
export class Spending implements ClientAllowance, Undecided {
  readonly #context: SpendingContext;
  readonly #spender: Spender;
  readonly #allowance: Allowance;
  #held: HeldMessages | undefined;
  /** When the message that is being forwarded is to go instead, and what became of the requests in it. */
  #holdUntilMs = notHeld;
  #holdCharges: readonly number[] | undefined;
  /** What became of the requests of the message that is being forwarded, where that was known before. */
  #known: readonly number[] | undefined;
  #stopped = false;
  /** The turn of the last refusal, when the first one was since anything passed in it, and how much since the last look. */
  #floodTurnMs = -1;
  #floodSinceMs = 0;
  #floodWeight = 0;

  constructor(context: SpendingContext, keys: ClientKeys, spender: Spender) {
    this.#context = context;
    this.#spender = spender;
    this.#allowance = context.limits.open(keys, this);
  }

  get isLimited(): boolean {
    return this.#allowance.isLimited || this.isHolding;
  }

  /** Messages wait to go on. */
  get isHolding(): boolean {
    return this.#held?.isEmpty === false;
  }

  /** Lets a message go on, now or later. */
  pass(bytes: Uint8Array, isBinary: boolean): void {
    this.#spender.forward(bytes, isBinary);
    const untilMs = this.#holdUntilMs;
    if (untilMs === notHeld) return;
    this.#holdUntilMs = notHeld;
    this.#queue().hold(bytes, isBinary, untilMs, this.#holdCharges);
  }

  charge(bytes: number, buf: Uint8Array, methodStart: number, methodEnd: number): number {
    if (this.#known !== undefined) return this.#known[0]!;
    const held = this.#held?.isQueueing === true ? this.#held : undefined;
    // What came before may still be refused: nothing is to overtake it.
    if (held?.lastDueMs === Infinity) return this.#hold(bytes, Infinity, undefined);
    const nowMs = this.#context.now();
    const method = this.#methodAt(buf, methodStart, methodEnd);
    const verdict = this.#allowance.take(bytes, nowMs, method);
    if (verdict > 0) return this.#isFlood(nowMs, bytes) ? this.#close() : verdict;
    if (verdict === Verdict.hold) return this.#hold(bytes, Infinity, undefined);
    if (verdict === Verdict.drop) return this.#isFlood(nowMs, bytes) ? this.#close() : this.#drop();
    if (verdict === Verdict.close) return this.#close();
    this.#floodTurnMs = -1;
    const dueMs = Math.max(this.#dueMs(verdict, nowMs), held?.lastDueMs ?? 0);
    const charge = dueMs === 0 ? Charge.paid : this.#hold(bytes, dueMs, paid);
    if (charge > 0) this.#allowance.refund(bytes, method, verdict);
    else if (this.#allowance.isWatched) this.#allowance.watch(bytes, nowMs, method);
    return charge;
  }

  /** The requests of a batch go together, when the last of them may; some may be refused. */
  chargeBatch(buf: Uint8Array, requests: readonly RequestRange[]): readonly number[] | undefined {
    if (this.#known !== undefined) return this.#known;
    const held = this.#held?.isQueueing === true ? this.#held : undefined;
    if (held?.lastDueMs === Infinity) return this.#holdBatch(buf, requests, Infinity, undefined);
    const nowMs = this.#context.now();
    let dueMs = held?.lastDueMs ?? 0;
    // All are asked for, also after one of which nothing is known: it is then found out about all at once.
    const verdicts = requests.map((request) => {
      const verdict = this.#allowance.take(sizeOf(request), nowMs, this.#methodOf(buf, request));
      dueMs = Math.max(dueMs, this.#dueMs(verdict, nowMs));
      return verdict;
    });
    const isRefused = verdicts.every((verdict) => verdict > 0 || verdict === Verdict.drop);
    if (!isRefused) this.#floodTurnMs = -1;
    if (verdicts.includes(Verdict.close) || (isRefused && this.#isFlood(nowMs, buf.length))) {
      this.#close();
      return undefined;
    }
    const isKnown = !verdicts.includes(Verdict.hold);
    const charges = verdicts.map(chargeOf);
    if (isKnown && dueMs === 0) return this.#settle(buf, requests, charges, nowMs);
    const outcome = this.#holdBatch(buf, requests, isKnown ? dueMs : Infinity, isKnown ? charges : undefined);
    if (isKnown && outcome === undefined) this.#settle(buf, requests, charges, nowMs);
    else this.#refund(buf, requests, verdicts);
    return outcome;
  }

  /** A ping, or a pong that nobody asked for. */
  chargeControlFrame(): void {
    if (this.#allowance.takeControlFrame(this.#context.now())) this.#spender.fail('rate-limited');
  }

  /** A message was refused without an answer. */
  countRefused(): void {
    this.#context.metrics.error(this.#context.errorIndex['rate-limited']);
  }

  /** What was not known about a message is known now. */
  onDecided(): void {
    this.#held?.wake();
  }

  /** The client is gone: what waits goes nowhere, but what it said before may still come, and is charged. */
  stop(): void {
    this.#stopped = true;
    this.#held?.clear();
  }

  /** Nothing more will come. */
  release(): void {
    this.#allowance.release();
  }

  /** When what has this verdict may go on; 0 = at once, or not at all. */
  #dueMs(verdict: number, nowMs: number): number {
    return verdict === Verdict.later ? nowMs + this.#allowance.delayMs : 0;
  }

  #methodOf(buf: Uint8Array, { methodStart, methodEnd }: RequestRange): MethodBytes {
    return this.#methodAt(buf, methodStart, methodEnd);
  }

  /** Nothing is kept of a message where its method makes no difference: its memory would outlive it. */
  #methodAt(buf: Uint8Array, start: number, end: number): MethodBytes {
    if (start < 0 || !this.#allowance.looksAtMethods) return noMethod;
    if (!isEscaped(buf, start, end)) return { buf, start, end };
    const name = Buffer.from(methodName(buf, start, end));
    return { buf: name, start: 0, end: name.length };
  }

  #isFlood(turnMs: number, bytes: number): boolean {
    if (turnMs !== this.#floodTurnMs) {
      this.#floodTurnMs = turnMs;
      this.#floodSinceMs = this.#context.clockMs();
      this.#floodWeight = 0;
    }
    this.#floodWeight += bytes + refusalWeight;
    if (this.#floodWeight < floodLook) return false;
    this.#floodWeight = 0;
    return this.#context.clockMs() - this.#floodSinceMs > maxFloodMs;
  }

  #drop(): number {
    this.countRefused();
    return Charge.dropped;
  }

  #close(): number {
    this.#spender.fail('rate-limited');
    return Charge.notNow;
  }

  /** The message is to wait; refused when too much waits already, or nobody is there any more. */
  #hold(bytes: number, untilMs: number, charges: readonly number[] | undefined): number {
    if (this.#stopped || !this.#queue().hasRoomFor(bytes)) return tooMuchWaitsMs;
    this.#holdUntilMs = untilMs;
    this.#holdCharges = charges;
    return Charge.notNow;
  }

  #holdBatch(
    buf: Uint8Array,
    requests: readonly RequestRange[],
    untilMs: number,
    charges: readonly number[] | undefined,
  ): readonly number[] | undefined {
    const charge = this.#hold(buf.length, untilMs, charges);
    return charge === Charge.notNow ? undefined : requests.map(() => charge);
  }

  /** It is decided what becomes of the requests of a batch. */
  #settle(
    buf: Uint8Array,
    requests: readonly RequestRange[],
    charges: readonly number[],
    nowMs: number,
  ): readonly number[] {
    charges.forEach((charge, index) => {
      const request = requests[index]!;
      if (charge === Charge.dropped) this.countRefused();
      if (charge !== Charge.paid || !this.#allowance.isWatched) return;
      this.#allowance.watch(sizeOf(request), nowMs, this.#methodOf(buf, request));
    });
    return charges;
  }

  #refund(buf: Uint8Array, requests: readonly RequestRange[], verdicts: readonly number[]): void {
    verdicts.forEach((verdict, index) => {
      const request = requests[index]!;
      if (chargeOf(verdict) !== Charge.paid) return;
      this.#allowance.refund(sizeOf(request), this.#methodOf(buf, request), verdict);
    });
  }

  #queue(): HeldMessages {
    return (this.#held ??= new HeldMessages({
      maxBytes: this.#context.maxBackpressureBytes,
      now: this.#context.now,
      resend: (bytes, isBinary, charges) => this.#resend(bytes, isBinary, charges),
    }));
  }

  #resend(bytes: Uint8Array, isBinary: boolean, charges: readonly number[] | undefined): void {
    this.#known = charges;
    try {
      this.pass(bytes, isBinary);
    } finally {
      this.#known = undefined;
    }
  }
}

/** What a verdict means for a request in a batch. */
function chargeOf(verdict: number): number {
  if (verdict > 0) return verdict;
  if (verdict === Verdict.drop) return Charge.dropped;
  return verdict === Verdict.go || verdict === Verdict.later ? Charge.paid : Charge.notNow;
}

function sizeOf({ start, end }: RequestRange): number {
  return end - start;
}
