/** A power of two that makes any time or rate of at least 2^-48 a whole number. */
const scale = 2 ** 100;

/** How full one bucket is, without any rounding: a double is taken for the fraction that it is. Slow. */
export class ExactBucket {
  readonly #rate: bigint;
  readonly #perUnit: bigint;
  readonly #burst: bigint;
  #level = 0n;
  #last = 0n;

  /** `rate` per second: a number, or numerator and denominator. */
  constructor({ rate, burst }: { rate: number | readonly [number, number]; burst: number }) {
    const [numerator, denominator] = typeof rate === 'number' ? [rate, 1] : rate;
    this.#rate = exact(numerator);
    // A level counts in 1/(scale² × 1000 × denominator), so that what drains is rate × time.
    this.#perUnit = exact(1) * exact(1) * 1000n * BigInt(denominator);
    this.#burst = BigInt(burst) * this.#perUnit;
  }

  fits(cost: number, nowMs: number): boolean {
    this.#drain(nowMs);
    return this.#level === 0n || this.#level + BigInt(cost) * this.#perUnit <= this.#burst;
  }

  /** Also what does not fit. */
  add(cost: number, nowMs: number): void {
    this.#drain(nowMs);
    this.#level += BigInt(cost) * this.#perUnit;
  }

  #drain(nowMs: number): void {
    const now = exact(nowMs);
    if (now <= this.#last) return;
    const drained = (now - this.#last) * this.#rate;
    this.#level = drained < this.#level ? this.#level - drained : 0n;
    this.#last = now;
  }
}

function exact(value: number): bigint {
  return BigInt(value * scale);
}
