import type { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { Charge, type ClientAllowance } from '../pool/client-side.ts';
import { methodName } from '../pool/jsonrpc/method-name.ts';
import { isEscaped } from '../pool/jsonrpc/ids.ts';
import { Verdict, type Allowance, type MethodBytes } from '../ratelimit/allowance.ts';
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
  readonly now: () => number;
}

/** Whose messages are paid for. */
export interface Spender {
  /** Sends a message on; it is charged on the way. */
  forward(bytes: Uint8Array, isBinary: boolean): void;
  fail(cause: 'rate-limited'): void;
}

/** Advice to a client of whom too much waits. */
const tooMuchWaitsMs = 1_000;
const nothing = new Uint8Array(0);
/** Not a time: nothing of the message that is being forwarded has to wait. */
const notHeld = -1;

/** What one client spends of its allowance: each message is paid for and goes, is refused, or waits here until it may go. */
export class Spending implements ClientAllowance, Undecided {
  readonly #context: SpendingContext;
  readonly #spender: Spender;
  readonly #allowance: Allowance;
  readonly #method: MethodBytes = { buf: nothing, start: -1, end: -1 };
  #held: HeldMessages | undefined;
  /** When the message that is being forwarded is to go instead. */
  #holdUntilMs = notHeld;
  /** The message that is being forwarded was paid for before. */
  #isPaid = false;

  constructor(context: SpendingContext, keys: ClientKeys, spender: Spender) {
    this.#context = context;
    this.#spender = spender;
    this.#allowance = context.limits.open(keys, this);
  }

  get isLimited(): boolean {
    return this.#allowance.isLimited;
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
    this.#queue().hold(bytes, isBinary, untilMs);
  }

  charge(bytes: number, buf: Uint8Array, methodStart: number, methodEnd: number, inBatch: boolean): number {
    if (this.#isPaid) return Charge.paid;
    const held = this.#held?.isQueueing === true ? this.#held : undefined;
    // What came before may not be known yet to be paid for, and the elements of a batch go together.
    if (held !== undefined && (inBatch || held.lastDueMs === Infinity)) return this.#hold(Infinity, bytes);
    const nowMs = this.#context.now();
    const verdict = this.#allowance.take(bytes, nowMs, this.#methodAt(buf, methodStart, methodEnd));
    if (verdict > 0) return verdict;
    if (verdict === Verdict.hold) return this.#hold(Infinity, bytes);
    if (verdict === Verdict.drop) return this.#drop();
    if (verdict === Verdict.close) {
      this.#spender.fail('rate-limited');
      return Charge.notNow;
    }
    if (inBatch) return Charge.paid;
    const ownDueMs = verdict === Verdict.later ? nowMs + this.#allowance.delayMs : 0;
    const dueMs = Math.max(ownDueMs, held?.lastDueMs ?? 0);
    if (dueMs === 0) return Charge.paid;
    const charge = this.#hold(dueMs, bytes);
    if (charge !== Charge.notNow) this.#allowance.refund(bytes, this.#method);
    return charge;
  }

  uncharge(bytes: number, buf: Uint8Array, methodStart: number, methodEnd: number): void {
    this.#allowance.refund(bytes, this.#methodAt(buf, methodStart, methodEnd));
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

  /** The client is gone, and what it still has waiting goes nowhere. */
  stop(): void {
    this.#held?.clear();
    this.#allowance.release();
  }

  #methodAt(buf: Uint8Array, start: number, end: number): MethodBytes {
    const method = this.#method;
    if (start >= 0 && isEscaped(buf, start, end)) {
      method.buf = Buffer.from(methodName(buf, start, end));
      method.start = 0;
      method.end = method.buf.length;
      return method;
    }
    method.buf = buf;
    method.start = start;
    method.end = end;
    return method;
  }

  #drop(): number {
    this.countRefused();
    return Charge.dropped;
  }

  /** The message is to wait; refused when too much waits already. */
  #hold(untilMs: number, bytes: number): number {
    if (!this.#queue().hasRoomFor(bytes)) return tooMuchWaitsMs;
    this.#holdUntilMs = untilMs;
    return Charge.notNow;
  }

  #queue(): HeldMessages {
    return (this.#held ??= new HeldMessages({
      maxBytes: this.#context.maxBackpressureBytes,
      now: this.#context.now,
      resend: (bytes, isBinary, isPaid) => this.#resend(bytes, isBinary, isPaid),
    }));
  }

  #resend(bytes: Uint8Array, isBinary: boolean, isPaid: boolean): void {
    this.#isPaid = isPaid;
    try {
      this.pass(bytes, isBinary);
    } finally {
      this.#isPaid = false;
    }
  }
}
