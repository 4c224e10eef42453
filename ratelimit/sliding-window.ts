import type { Limiter, LimiterSettings } from './limiter.ts';

/** Of each slot: the start of its current window in milliseconds, what passed in the one before, what passed in this one. */
const stride = 4;

/**
 * At most the rate times `windowMs` in any window, estimated with two counters: what passed in the window before counts with the
 * share of it that the sliding one still covers, less one, so that an even load at the limit passes. Beside an exact log, with a
 * limit of 100: an even load gets at most one more into a window; a random one gets 3 % more in all and at most 20 % more into a
 * window; the worst, a burst at the end of a window, twice the limit. Waits are whole milliseconds, rounded up.
 */
export class SlidingWindow implements Limiter {
  readonly #cells: Float64Array;
  #windowMs = 0;
  /** What is allowed in a window. */
  #limit = 0;

  constructor(settings: LimiterSettings, slots: number) {
    this.#cells = new Float64Array(slots * stride);
    this.#measureBy(settings);
  }

  take(slot: number, cost: number, nowMs: number): number {
    const at = slot * stride;
    const windowMs = this.#windowMs;
    const used = this.#usedAt(at, nowMs);
    if (used + cost * windowMs > this.#limit * windowMs) {
      return used > 0 ? this.#waitMs(at, cost, nowMs) : this.#takeAboveLimit(at, cost, nowMs);
    }
    this.#slide(at, nowMs);
    this.#cells[at + 2]! += cost;
    return 0;
  }

  peek(slot: number, cost: number, nowMs: number): number {
    const at = slot * stride;
    return this.#fits(at, cost, nowMs) ? 0 : this.#waitMs(at, cost, nowMs);
  }

  refund(slot: number, cost: number): void {
    const at = slot * stride;
    this.#cells[at + 2] = Math.max(0, this.#cells[at + 2]! - cost);
  }

  block(slot: number, durationMs: number, nowMs: number): void {
    if (this.peek(slot, 1, nowMs) >= durationMs) return;
    const cells = this.#cells;
    const at = slot * stride;
    const endMs = floorToMicros(nowMs + durationMs);
    this.#slide(at, nowMs);
    const before = cells[at + 1] === Infinity ? 0 : cells[at + 1]!;
    const outMs = cells[at]! + 2 * this.#windowMs;
    // A window that ends with the block, after one that was more than full. What would still count by then counts on.
    cells[at + 2] = endMs < outMs ? Math.min(this.#limit, before + cells[at + 2]!) : 0;
    cells[at + 1] = Infinity;
    cells[at] = endMs - this.#windowMs;
  }

  isFresh(slot: number, nowMs: number): boolean {
    const at = slot * stride;
    const ageMs = nowMs - this.#cells[at]!;
    if (ageMs >= 2 * this.#windowMs) return true;
    return this.#cells[at + 2] === 0 && (this.#cells[at + 1] === 0 || ageMs >= this.#windowMs);
  }

  reset(slot: number): void {
    this.#cells.fill(0, slot * stride, (slot + 1) * stride);
  }

  merge(from: number, to: number, nowMs: number): void {
    if (this.isFresh(from, nowMs)) return;
    const cells = this.#cells;
    const [fromAt, toAt] = [from * stride, to * stride];
    if (this.isFresh(to, nowMs)) return void cells.copyWithin(toAt, fromAt, fromAt + stride);
    this.#slide(fromAt, nowMs);
    this.#slide(toAt, nowMs);
    // The later start, since counters count for longer with it.
    for (let i = 0; i < stride; i++) cells[toAt + i] = Math.max(cells[fromAt + i]!, cells[toAt + i]!);
  }

  configure(settings: LimiterSettings): void {
    const shorterMs = this.#windowMs - settings.windowMs;
    this.#measureBy(settings);
    if (shorterMs === 0) return;
    const cells = this.#cells;
    for (let at = 0; at < cells.length; at += stride) {
      // A block ends when it was to end.
      if (cells[at + 1] === Infinity) cells[at]! += shorterMs;
    }
  }

  #fits(at: number, cost: number, nowMs: number): boolean {
    const used = this.#usedAt(at, nowMs);
    return used + cost * this.#windowMs <= this.#limit * this.#windowMs || used === 0;
  }

  /** What counts as used, times `windowMs`: no check then has to divide. */
  #usedAt(at: number, nowMs: number): number {
    const cells = this.#cells;
    const windowMs = this.#windowMs;
    const ageMs = nowMs - cells[at]!;
    if (ageMs >= 2 * windowMs) return 0;
    if (ageMs >= windowMs) return Math.max(0, cells[at + 2]! * (2 * windowMs - ageMs) - windowMs);
    const before = cells[at + 1]! * (windowMs - Math.max(0, ageMs)) - windowMs;
    return Math.max(0, before) + cells[at + 2]! * windowMs;
  }

  /** Makes the current window the one that `nowMs` is in; one that follows no other begins now. */
  #slide(at: number, nowMs: number): void {
    const cells = this.#cells;
    const windowMs = this.#windowMs;
    const ageMs = nowMs - cells[at]!;
    if (ageMs < windowMs && cells[at + 1]! + cells[at + 2]! > 0) return;
    const last = ageMs >= windowMs && ageMs < 2 * windowMs ? cells[at + 2]! : 0;
    cells[at] = last > 0 ? cells[at]! + windowMs : nowMs;
    cells[at + 1] = last;
    cells[at + 2] = 0;
  }

  /** Only on a fresh slot: a full window that begins when the rest would be paid off. */
  #takeAboveLimit(at: number, cost: number, nowMs: number): number {
    this.#cells[at] = nowMs + (cost / this.#limit - 1) * this.#windowMs;
    this.#cells[at + 1] = 0;
    this.#cells[at + 2] = this.#limit;
    return 0;
  }

  /** Until enough has slid out: of the window before if the current one leaves room, or else of the current one. */
  #waitMs(at: number, cost: number, nowMs: number): number {
    const windowMs = this.#windowMs;
    const start = this.#cells[at]!;
    const current = this.#cells[at + 2]!;
    const room = Math.max(0, this.#limit - cost);
    const isFull = current > room;
    const sliding = isFull ? current : this.#cells[at + 1]!;
    const mayStay = isFull ? room + 1 : room - current + 1;
    const outAfterMs = isFull ? 2 * windowMs : windowMs;
    const readyMs = start + outAfterMs - Math.min(1, mayStay / sliding) * windowMs;
    const waitMs = Math.max(1, Math.ceil(readyMs - nowMs));
    // The sums of fractions may have come out a moment too short.
    const ageMs = nowMs + waitMs - start;
    const isOut = ageMs >= outAfterMs;
    const isReady = ageMs >= outAfterMs - windowMs && sliding * (outAfterMs - ageMs) <= mayStay * windowMs;
    return isOut || isReady ? waitMs : waitMs + 1;
  }

  #measureBy({ ratePerSecond, windowMs }: LimiterSettings): void {
    this.#windowMs = windowMs;
    // To a millionth: 0.29 × 100 comes out a little below 29.
    this.#limit = Math.max(1, Math.round(((ratePerSecond * windowMs) / 1000) * 2 ** 20)) / 2 ** 20;
  }
}

/** So that sums with it are exact. */
function floorToMicros(timeMs: number): number {
  return Math.floor(timeMs * 1024) / 1024;
}
