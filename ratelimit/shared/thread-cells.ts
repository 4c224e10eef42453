import { hash } from 'node:crypto';
import { cellsPerBucket, ThreadLayout, type ThreadMemory } from './thread-memory.ts';

// Who has a cell, in one word: 20 bits of holds, 6 of a version that changes whenever the last hold ends, 1 that says that the
// name is settled, 37 of the key's name, 0 for none.
const holdsMask = (1n << 20n) - 1n;
const oneVersion = 1n << 20n;
const versionMask = 63n << 20n;
const settled = 1n << 26n;
const nameShift = 27n;
const nameMask = ((1n << 37n) - 1n) << nameShift;

/**
 * Which cell a key has, agreed upon by all threads without a lock. A cell is named after its key; it is the key's until nobody
 * holds it and all that was used has come back. Keys that find no cell in their bucket share its last one, which belongs to
 * nobody: they are limited together, but never fresh by accident, and no key is ever in two cells at once.
 */
export class ThreadCells {
  readonly #layout: ThreadLayout;
  readonly #isFresh: (cell: number, nowMs: number) => boolean;
  readonly #bucketCount: number;

  constructor(layout: ThreadLayout, isFresh: (cell: number, nowMs: number) => boolean) {
    this.#layout = layout;
    this.#isFresh = isFresh;
    this.#bucketCount = layout.cellCount / cellsPerBucket;
  }

  /** The key's cell, which stays so until it has been released as often as held. Keys with the same hash of 37 bits in the same bucket count as one. */
  hold(key: string, nowMs: number): number {
    const digest = hash('sha256', this.#layout.secret + key, 'buffer');
    const first = (digest.readUInt32LE(8) % this.#bucketCount) * cellsPerBucket;
    const name = digest.readBigUInt64LE() & nameMask || nameMask;
    for (;;) {
      const cell = this.#join(first, name) ?? this.#settle(first, name, nowMs);
      if (cell !== undefined) return cell;
    }
  }

  release(cell: number): void {
    releaseCell(this.#layout, cell);
  }

  /** Holds the cell that the key has, if it has one. */
  #join(first: number, name: bigint): number | undefined {
    for (let cell = first; cell < sharedCell(first); cell++) {
      let holder = this.#read(cell);
      while ((holder & nameMask) === name && (holder & settled) !== 0n) {
        if (this.#swap(cell, holder, heldOnceMore(holder))) return cell;
        holder = this.#read(cell);
      }
    }
    return undefined;
  }

  /**
   * Finds a cell for a key that had none. It is the key's only when, after it was named, no other thread had settled on one and
   * the shared cell was out of use: then whoever comes next sees the name. Undefined when the key has a cell by now, or may
   * have one in a moment.
   */
  #settle(first: number, name: bigint, nowMs: number): number | undefined {
    const shared = sharedCell(first);
    const cell = this.#isInUse(shared, nowMs) ? undefined : this.#claim(first, name, nowMs);
    if (cell === undefined) {
      this.#addHold(shared);
      if (this.#refuteOthers(first, name, shared)) return shared;
      this.release(shared);
      return undefined;
    }
    const isAlone = this.#refuteOthers(first, name, cell) && !this.#isInUse(shared, nowMs);
    const holder = this.#read(cell);
    if (isAlone && (holder & nameMask) === name && this.#swap(cell, holder, holder | settled)) return cell;
    this.release(cell);
    return undefined;
  }

  /** Names a cell that is free, for the time being. */
  #claim(first: number, name: bigint, nowMs: number): number | undefined {
    for (let cell = first; cell < sharedCell(first); cell++) {
      const holder = this.#read(cell);
      if ((holder & holdsMask) !== 0n || !this.#isFresh(cell, nowMs)) continue;
      if (this.#swap(cell, holder, name | (holder & versionMask) | 1n)) return cell;
    }
    return undefined;
  }

  /** Takes the name from other cells where it is not settled; false when it is somewhere. */
  #refuteOthers(first: number, name: bigint, own: number): boolean {
    for (let cell = first; cell < sharedCell(first); cell++) {
      if (cell === own) continue;
      let holder = this.#read(cell);
      while ((holder & nameMask) === name) {
        if ((holder & settled) !== 0n) return false;
        this.#swap(cell, holder, holder & ~nameMask);
        holder = this.#read(cell);
      }
    }
    return true;
  }

  #addHold(cell: number): void {
    for (;;) {
      const holder = this.#read(cell);
      if (this.#swap(cell, holder, heldOnceMore(holder))) return;
    }
  }

  #isInUse(cell: number, nowMs: number): boolean {
    return (this.#read(cell) & holdsMask) !== 0n || !this.#isFresh(cell, nowMs);
  }

  #read(cell: number): bigint {
    return BigInt.asUintN(64, Atomics.load(this.#layout.holders, cell));
  }

  #swap(cell: number, from: bigint, to: bigint): boolean {
    return BigInt.asUintN(64, Atomics.compareExchange(this.#layout.holders, cell, from, to)) === from;
  }
}

/** Ends the holds of a thread that has died. `held` is the `held` of its ThreadLimiter. */
export function releaseHeld(memory: ThreadMemory, held: SharedArrayBuffer): void {
  const layout = new ThreadLayout(memory);
  const cells = new Int32Array(held);
  for (let slot = 0; slot < cells.length; slot++) {
    const cell = Atomics.exchange(cells, slot, 0) - 1;
    if (cell >= 0) releaseCell(layout, cell);
  }
}

function releaseCell({ holders }: ThreadLayout, cell: number): void {
  for (;;) {
    const holder = BigInt.asUintN(64, Atomics.load(holders, cell));
    const holds = holder & holdsMask;
    if (holds === 0n) throw new Error('bug: released a cell that is not held');
    // So many that they were not all counted: nobody knows when the last is gone.
    if (holds === holdsMask) return;
    const left = holds === 1n ? withNextVersion(holder - 1n) : holder - 1n;
    if (BigInt.asUintN(64, Atomics.compareExchange(holders, cell, holder, left)) === holder) return;
  }
}

function heldOnceMore(holder: bigint): bigint {
  return (holder & holdsMask) === holdsMask ? holder : holder + 1n;
}

/** So that one who saw it free before does not take it for the same when it was held and released since. */
function withNextVersion(holder: bigint): bigint {
  return (holder & ~versionMask) | ((holder + oneVersion) & versionMask);
}

/** The cell of a bucket that belongs to nobody. */
function sharedCell(first: number): number {
  return first + cellsPerBucket - 1;
}
