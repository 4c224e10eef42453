/** Allows so many lines within any second, and counts what it leaves out. */
export class LineSampler {
  /** When each of the last lines was, the oldest at `#next`. */
  readonly #timesMs: Float64Array;
  #next = 0;
  #leftOut = 0;

  constructor(perSecond: number) {
    this.#timesMs = new Float64Array(perSecond).fill(-Infinity);
  }

  /** How many were left out since the last line, when this one may be written; −1 when it may not. */
  take(nowMs: number): number {
    // Of none allowed there is no oldest: NaN is never enough.
    if (!(nowMs - this.#timesMs[this.#next]! >= 1_000)) {
      this.#leftOut++;
      return -1;
    }
    this.#timesMs[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#timesMs.length;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut;
  }
}
