/** What a sliding window estimates: the time of everything that passed, in order. */
export class ExactLog {
  readonly #windowMs: number;
  readonly #times: number[] = [];
  #first = 0;

  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  get total(): number {
    return this.#times.length;
  }

  add(nowMs: number): void {
    this.#times.push(nowMs);
  }

  /** How much passed in the window that ends now. */
  countAt(nowMs: number): number {
    while (this.#times[this.#first]! <= nowMs - this.#windowMs) this.#first++;
    return this.total - this.#first;
  }
}
