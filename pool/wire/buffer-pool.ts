import { MaskKeys } from './mask.ts';

export interface BufferPoolOptions {
  /** Size of the smallest block, a power of two. */
  readonly smallestBytes?: number;
  /** Size of the largest block that is kept; larger ones are left to the garbage collector. */
  readonly largestBytes?: number;
  /** Most bytes kept in free blocks of each size. */
  readonly maxFreeBytes?: number;
}

/** What the writers of one thread share: free blocks in sizes of powers of two, and masking keys. */
export class BufferPool {
  readonly maskKeys = new MaskKeys();
  readonly #smallestBytes: number;
  readonly #largestBytes: number;
  readonly #maxFreeBytes: number;
  /** By size; a set, because a block that is in it twice would be given to two writers. */
  readonly #free = new Map<number, Set<ArrayBuffer>>();

  constructor(options: BufferPoolOptions = {}) {
    const { smallestBytes = 4_096, largestBytes = 262_144, maxFreeBytes = 4_194_304 } = options;
    this.#smallestBytes = smallestBytes;
    this.#largestBytes = largestBytes;
    this.#maxFreeBytes = maxFreeBytes;
    for (let bytes = smallestBytes; bytes <= largestBytes; bytes *= 2) this.#free.set(bytes, new Set());
  }

  /** Bytes kept for later use. */
  get freeBytes(): number {
    let sum = 0;
    for (const [bytes, blocks] of this.#free) sum += bytes * blocks.size;
    return sum;
  }

  /** A block of at least `minBytes`, with whatever its last user left in it; it starts its own ArrayBuffer. */
  take(minBytes: number): Buffer<ArrayBuffer> {
    let bytes = this.#smallestBytes;
    while (bytes < minBytes) bytes *= 2;
    if (bytes > this.#largestBytes) bytes = Math.ceil(minBytes / 4096) * 4096;
    const free = this.#free.get(bytes);
    const block = free?.values().next().value;
    if (block === undefined) return Buffer.allocUnsafeSlow(bytes);
    free?.delete(block);
    return Buffer.from(block);
  }

  /** Takes back a block, by any view of it; nobody may use it any more. Throws when it is free already. */
  release(view: Uint8Array<ArrayBuffer>): void {
    const free = this.#free.get(view.buffer.byteLength);
    if (free === undefined) return;
    // Two writers in one block would send each other's bytes.
    if (free.has(view.buffer)) throw new Error('bug: a block is released twice');
    if ((free.size + 1) * view.buffer.byteLength <= this.#maxFreeBytes) free.add(view.buffer);
  }
}
