import { MaskKeys } from './mask.ts';

export interface BufferPoolOptions {
  /** Size of the smallest block, a power of two. */
  readonly smallestBytes?: number;
  /** Size of the largest block that is kept; larger ones are left to the garbage collector. */
  readonly largestBytes?: number;
  /** Most free blocks kept of each size. */
  readonly maxFree?: number;
}

/** What the writers of one thread share: free blocks in sizes of powers of two, and masking keys. */
export class BufferPool {
  readonly maskKeys = new MaskKeys();
  readonly #smallestBytes: number;
  readonly #largestBytes: number;
  readonly #maxFree: number;
  readonly #free = new Map<number, ArrayBuffer[]>();

  constructor({ smallestBytes = 16_384, largestBytes = 262_144, maxFree = 64 }: BufferPoolOptions = {}) {
    this.#smallestBytes = smallestBytes;
    this.#largestBytes = largestBytes;
    this.#maxFree = maxFree;
    for (let bytes = smallestBytes; bytes <= largestBytes; bytes *= 2) this.#free.set(bytes, []);
  }

  /** Bytes kept for later use. */
  get freeBytes(): number {
    let sum = 0;
    for (const [bytes, blocks] of this.#free) sum += bytes * blocks.length;
    return sum;
  }

  /** A block of at least `minBytes`, with whatever its last user left in it; it starts its own ArrayBuffer. */
  take(minBytes: number): Buffer<ArrayBuffer> {
    let bytes = this.#smallestBytes;
    while (bytes < minBytes) bytes *= 2;
    if (bytes > this.#largestBytes) bytes = Math.ceil(minBytes / 4096) * 4096;
    const block = this.#free.get(bytes)?.pop();
    return block === undefined ? Buffer.allocUnsafeSlow(bytes) : Buffer.from(block);
  }

  /** Takes back a block, by any view of it; nobody may use it any more. Throws when it is free already. */
  release(view: Uint8Array<ArrayBuffer>): void {
    const free = this.#free.get(view.buffer.byteLength);
    if (free === undefined) return;
    // Two writers in one block would send each other's bytes.
    if (free.includes(view.buffer)) throw new Error('bug: a block is released twice');
    if (free.length < this.#maxFree) free.push(view.buffer);
  }
}
