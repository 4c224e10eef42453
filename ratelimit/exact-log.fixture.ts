/** What a sliding window estimates: a list of everything that passed within the last `windowMs`. */
export class ExactLog {
  readonly #windowMs: number;
  readonly #limit: number;
  #times: number[] = [];
  #first = 0;

  constructor({ windowMs, limit }: { windowMs: number; limit: number }) {
    this.#windowMs = windowMs;
    this.#limit = limit;
  }

  take(nowMs: number): boolean {
    if (this.countAt(nowMs) >= this.#limit) return false;
    this.add(nowMs);
    return true;
  }

  add(nowMs: number): void {
    this.#times.push(nowMs);
  }

  /** How much passed in the window that ends now. */
  countAt(nowMs: number): number {
    while (this.#times[this.#first]! <= nowMs - this.#windowMs) this.#first++;
    return this.#times.length - this.#first;
  }
}
