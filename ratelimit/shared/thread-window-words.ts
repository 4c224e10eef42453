import type { ThreadLayout } from './thread-memory.ts';
import type { ThreadSettings } from './thread-settings.ts';
import { blockExponent, exponentFor, inStepsOf, mergeWindows, packWindow } from './thread-window-word.ts';
import { slide, startAfter, startBefore, unpackWindow, windowAt } from './thread-window-word.ts';
import type { WindowState } from './thread-window-word.ts';
import type { ThreadWords } from './thread-words.ts';

/**
 * Sliding windows of two counters. A limit above 1,023 is counted in larger steps, of a 500th of it at most; who leases gets the
 * whole of what it is charged.
 */
export class WindowWords implements ThreadWords {
  endsMs = 0;
  readonly unitMs = 0;
  readonly #settings: ThreadSettings;
  readonly #words: ThreadLayout['words'];
  #settingsNumber = -1;
  #windowMs = 0;
  #limit = 0;
  #exponent = 0;

  constructor(layout: ThreadLayout, settings: ThreadSettings) {
    this.#words = layout.words;
    this.#settings = settings;
  }

  capacity(): number {
    this.#refresh();
    const step = 2 ** this.#exponent;
    return Math.floor(this.#limit / step) * step;
  }

  lease(cell: number, want: number, least: number, nowMs: number): number {
    this.#refresh();
    for (;;) {
      const word = Atomics.load(this.#words, cell);
      const state = this.#stateOf(word, nowMs) ?? this.#fresh(nowMs);
      const step = 2 ** state.exponent;
      const leastCounts = Math.ceil(least / step);
      if (leastCounts > this.#full(state)) {
        if (this.#used(state, nowMs) > 0) return -1;
        const { startMs } = this.#fresh(nowMs);
        if (!this.#swap(cell, word, this.#indebted(startMs, least))) continue;
        this.endsMs = startMs + this.#windowMs;
        return least;
      }
      const counts = Math.min(Math.ceil(want / step), this.#room(state, nowMs));
      if (counts < leastCounts) return -1;
      if (!this.#swap(cell, word, packWindow({ ...state, current: state.current + counts }))) continue;
      // Of a window that this thread's clock has not reached yet, nothing may be kept for it.
      this.endsMs = nowMs < state.startMs ? state.startMs : state.startMs + this.#windowMs;
      return counts * step;
    }
  }

  giveBack(cell: number, amount: number, endsMs: number, nowMs: number): number {
    this.#refresh();
    const leasedMs = startBefore(endsMs + 0.1) - this.#windowMs;
    for (;;) {
      const word = Atomics.load(this.#words, cell);
      const state = unpackWindow(word, nowMs);
      if (state === undefined || state.exponent === blockExponent) return 0;
      const step = 2 ** state.exponent;
      const counts = Math.floor(amount / step);
      if (counts === 0) return amount;
      const isDebt = counts > this.#full(state) && word === this.#indebted(leasedMs, amount);
      // What was leased in another window is gone with it.
      if (!isDebt && state.startMs !== leasedMs) return 0;
      const current = Math.max(0, state.current - counts);
      if (this.#swap(cell, word, isDebt ? 0n : packWindow({ ...state, current })))
        return amount - counts * step;
    }
  }

  peek(cell: number, cost: number, nowMs: number): number {
    this.#refresh();
    const state = this.#stateOf(Atomics.load(this.#words, cell), nowMs);
    if (state === undefined || this.#fits(state, cost, nowMs)) return 0;
    const waitMs = this.#readyMs(state, cost) - nowMs;
    const wholeMs = Math.max(1, Math.ceil(waitMs));
    const then = slide(state, nowMs + wholeMs, this.#windowMs);
    const isReady = then === undefined || this.#fits(then, cost, nowMs + wholeMs);
    return isReady && waitMs > 0 ? waitMs : wholeMs + 1;
  }

  block(cell: number, durationMs: number, nowMs: number): void {
    const startMs = startAfter(nowMs + durationMs);
    for (;;) {
      if (this.peek(cell, 1, nowMs) >= durationMs) return;
      const word = Atomics.load(this.#words, cell);
      const state = this.#stateOf(word, nowMs);
      if (this.#swap(cell, word, packWindow(this.#blocked(startMs, state)))) return;
    }
  }

  isFresh(cell: number, nowMs: number): boolean {
    this.#refresh();
    const word = Atomics.load(this.#words, cell);
    if (word === 0n) return true;
    if (windowAt(word, nowMs, this.#windowMs) !== undefined) return false;
    return this.#swap(cell, word, 0n);
  }

  merge(from: number, to: number, nowMs: number): void {
    this.#refresh();
    const state = this.#stateOf(Atomics.load(this.#words, from), nowMs);
    if (state === undefined) return;
    for (;;) {
      const word = Atomics.load(this.#words, to);
      const other = this.#stateOf(word, nowMs);
      const counting = state.exponent === blockExponent ? other : state;
      const merged =
        other === undefined ? state : mergeWindows(state, other, this.#full(counting!), this.#windowMs);
      if (this.#swap(to, word, packWindow(merged))) return;
    }
  }

  /** What is used now, in steps in which the limit can be counted. */
  #stateOf(word: bigint, nowMs: number): WindowState | undefined {
    const state = windowAt(word, nowMs, this.#windowMs);
    return state && inStepsOf(state, this.#exponent);
  }

  /** A window that begins with what is used of it first. */
  #fresh(nowMs: number): WindowState {
    return { startMs: startBefore(nowMs), exponent: this.#exponent, previous: 0, current: 0 };
  }

  /** The word after a cost above the limit: a full window that begins when the rest is paid off. */
  #indebted(startMs: number, cost: number): bigint {
    const aheadMs = (cost / this.#limit - 1) * this.#windowMs;
    const exponent = this.#exponent;
    const current = Math.floor(this.#limit / 2 ** exponent);
    return packWindow({ startMs: startAfter(startMs + aheadMs), exponent, previous: 0, current });
  }

  /** A block until `startMs`; what would still count by then counts on. */
  #blocked(startMs: number, state: WindowState | undefined): WindowState {
    const block = { startMs, exponent: blockExponent, previous: this.#exponent, current: 0 };
    if (state === undefined || state.startMs + 2 * this.#windowMs <= startMs) return block;
    if (state.exponent === blockExponent) return { ...state, startMs };
    const current = Math.min(this.#full(state), state.previous + state.current);
    return { ...block, previous: state.exponent, current };
  }

  /** How many counts a window holds. */
  #full({ exponent }: WindowState): number {
    return Math.floor(this.#limit / 2 ** exponent);
  }

  /** True when `lease` would grant it. */
  #fits(state: WindowState, cost: number, nowMs: number): boolean {
    const counts = Math.ceil(cost / 2 ** state.exponent);
    if (counts > this.#full(state)) return this.#used(state, nowMs) === 0;
    return this.#room(state, nowMs) >= counts;
  }

  /** How many counts there is room for now. */
  #room(state: WindowState, nowMs: number): number {
    const windowMs = this.#windowMs;
    return Math.floor((this.#limit * windowMs - this.#used(state, nowMs)) / (2 ** state.exponent * windowMs));
  }

  /** What counts as used, times `windowMs`: less one of the window before, so that an even load at the limit passes. */
  #used({ startMs, exponent, previous, current }: WindowState, nowMs: number): number {
    if (exponent === blockExponent) return Infinity;
    const windowMs = this.#windowMs;
    const step = 2 ** exponent;
    const before = previous * step * (windowMs - Math.max(0, nowMs - startMs));
    return Math.max(0, before - windowMs) + current * step * windowMs;
  }

  /** When it will fit: when enough of the window before has slid out, or else of the current one. */
  #readyMs({ startMs, exponent, previous, current }: WindowState, cost: number): number {
    if (exponent === blockExponent) {
      const after = slide({ startMs, exponent, previous, current }, startMs, this.#windowMs);
      return after === undefined || this.#fits(after, cost, startMs) ? startMs : this.#readyMs(after, cost);
    }
    const windowMs = this.#windowMs;
    const step = 2 ** exponent;
    const room = Math.max(0, this.#limit - Math.ceil(cost / step) * step);
    const left = current * step;
    if (room >= left) return startMs + windowMs - ((room - left + 1) * windowMs) / (previous * step);
    return startMs + windowMs + windowMs * Math.max(0, 1 - (room + 1) / left);
  }

  #refresh(): void {
    const settings = this.#settings;
    settings.refresh();
    if (settings.number === this.#settingsNumber) return;
    this.#settingsNumber = settings.number;
    this.#windowMs = startAfter(Math.max(1, settings.windowMs));
    // To a millionth: 0.29 × 100 comes out a little below 29.
    const limit = (settings.ratePerSecond * settings.windowMs) / 1000;
    this.#limit = Math.max(1, Math.round(limit * 2 ** 20) / 2 ** 20);
    this.#exponent = exponentFor(this.#limit);
  }

  #swap(cell: number, from: bigint, to: bigint): boolean {
    return Atomics.compareExchange(this.#words, cell, from, to) === from;
  }
}
