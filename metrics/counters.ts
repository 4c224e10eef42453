/** A part of a buffer, typically shared between threads; one writer alone may own it. */
export interface MemoryRegion {
  readonly buffer: ArrayBufferLike;
  /** A multiple of 8. */
  readonly byteOffset: number;
}

/** `size` numbers that start at 0 and are counted up (or down) by index; exact to 2^53, never allocates. */
export class Counters {
  readonly #values: Float64Array;

  constructor({ size, memory }: { size: number; memory?: MemoryRegion }) {
    this.#values = float64View(size, memory);
  }

  /** Adds `n`, which may be negative, to the counter at `index`. */
  add(index: number, n: number): void {
    this.#values[index]! += n;
  }

  /** The counter at `index`; throws a RangeError for an index out of range. */
  value(index: number): number {
    const value = this.#values[index];
    if (value === undefined) throw new RangeError(`no counter ${index}`);
    return value;
  }
}

/** `length` float64s: over the region where one is given, else over fresh memory. */
export function float64View(length: number, memory?: MemoryRegion): Float64Array {
  return memory ? new Float64Array(memory.buffer, memory.byteOffset, length) : new Float64Array(length);
}
