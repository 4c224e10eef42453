import { hash } from 'node:crypto';
import { HashTable } from './hash-table.ts';
import type { Limiter } from './limiter.ts';
import type { SlotSource } from './slot-source.ts';

export interface KeySlotsOptions {
  /** How many keys have a slot of their own at most. */
  readonly maxKeys: number;
  /** How many slots evicted keys leave their state in; a power of two. */
  readonly overflowCells: number;
  /** Whose slots these are; it has `KeySlots.slotCount(maxKeys, overflowCells)` of them. */
  readonly limiter: Pick<Limiter, 'isFresh' | 'reset' | 'merge'>;
  /** Seeds the hash, so that nobody outside can choose keys that collide. */
  readonly secret: string;
}

/** How many slots are looked at for one to take over when all are taken. */
const looksPerEviction = 16;
/** How much of a key is kept, in characters. */
const shownLength = 256;
const none = -1;

/**
 * Maps keys to the slots of a limiter, in memory that is allocated once and calls that never take long. The first `maxKeys`
 * slots belong to one key each; those behind them are overflow cells, which keys share by their hash: an evicted key leaves
 * its state in its cell and takes it up again when it comes back, so that eviction forgives nobody. While more keys are held
 * than there are slots, the latest use their cells as they are.
 */
export class KeySlots implements SlotSource {
  readonly #maxKeys: number;
  readonly #cellMask: number;
  readonly #limiter: KeySlotsOptions['limiter'];
  readonly #secret: string;
  readonly #table: HashTable;
  /** By slot, for those who look; undefined for a free one. */
  readonly #keys: (string | undefined)[];
  readonly #holds: Uint32Array;
  /** Slots that were used and are free again, as a stack. */
  readonly #free: Int32Array;
  #freeCount = 0;
  /** Slots from here on have never been used: their memory is untouched. */
  #usedSlots = 0;
  #evictionHand = 0;
  #sweepHand = 0;
  /** How many times overflow cells are held, all together. */
  #cellHolds = 0;

  /** How many slots a limiter needs for these keys. */
  static slotCount(maxKeys: number, overflowCells: number): number {
    return maxKeys + overflowCells;
  }

  /** Throws when maxKeys is below 1, or overflowCells no power of two. */
  constructor({ maxKeys, overflowCells, limiter, secret }: KeySlotsOptions) {
    if (!Number.isInteger(maxKeys) || maxKeys < 1) throw new Error(`bug: slots for ${maxKeys} keys`);
    if (!Number.isInteger(Math.log2(overflowCells)) || overflowCells < 1) {
      throw new Error(`bug: ${overflowCells} overflow cells are no power of two`);
    }
    this.#maxKeys = maxKeys;
    this.#cellMask = overflowCells - 1;
    this.#limiter = limiter;
    this.#secret = secret;
    this.#table = new HashTable(maxKeys);
    this.#keys = new Array<string | undefined>(maxKeys).fill(undefined);
    this.#holds = new Uint32Array(maxKeys);
    this.#free = new Int32Array(maxKeys);
  }

  /** How many keys have a slot of their own now: held ones, and others not forgotten yet. */
  get size(): number {
    return this.#usedSlots - this.#freeCount;
  }

  /**
   * The key's slot, the key's alone until it has been released as often as acquired. It is an overflow cell when the slots
   * looked at are all held. Two keys whose 64-bit hashes are the same count as one.
   */
  acquire(key: string, nowMs: number): number {
    // As binary the digest comes as one string of bytes, in less than half the time of a Buffer.
    const digest = hash('sha256', this.#secret + key, 'binary');
    const low = int32At(digest, 0);
    const high = int32At(digest, 4);
    const known = this.#table.find(low, high);
    if (known !== none) {
      this.#holds[known]!++;
      return known;
    }
    const cell = this.#cellOf(high);
    const slot = this.#takeSlot(nowMs);
    if (slot === none) {
      this.#cellHolds++;
      return cell;
    }
    this.#table.add(slot, low, high);
    this.#keys[slot] = shownKey(key);
    this.#holds[slot] = 1;
    this.#limiter.reset(slot, key);
    this.#limiter.merge(cell, slot, nowMs);
    return slot;
  }

  /** Ends one hold of a slot or an overflow cell. Throws when it is not held. */
  release(slot: number): void {
    const held = slot < this.#maxKeys ? this.#holds[slot] : this.#cellHolds;
    if (!held) throw new Error('bug: released a slot that is not held');
    if (slot < this.#maxKeys) this.#holds[slot] = held - 1;
    else this.#cellHolds = held - 1;
  }

  /** The key of a slot, its first 256 characters; undefined for a free slot or an overflow cell. */
  keyOf(slot: number): string | undefined {
    return this.#keys[slot];
  }

  /** Looks at up to `count` slots, from where it last stopped; forgets those unheld and fresh, and returns how many. */
  sweep(count: number, nowMs: number): number {
    const sizeBefore = this.size;
    for (let looks = Math.min(count, this.#usedSlots); looks > 0; looks--) {
      const slot = this.#sweepHand;
      this.#sweepHand = slot + 1 < this.#usedSlots ? slot + 1 : 0;
      if (this.#keys[slot] === undefined || this.#holds[slot] !== 0) continue;
      if (this.#limiter.isFresh(slot, nowMs)) this.#forget(slot);
    }
    return sizeBefore - this.size;
  }

  /** Visits the slots that have a key of their own, in their order. */
  forEachSlot(visit: (slot: number, key: string) => void): void {
    for (let slot = 0; slot < this.#usedSlots; slot++) {
      const key = this.#keys[slot];
      if (key !== undefined) visit(slot, key);
    }
  }

  /** A slot without a key, or -1 when all that were looked at are held. */
  #takeSlot(nowMs: number): number {
    if (this.#freeCount === 0) {
      if (this.#usedSlots < this.#maxKeys) return this.#usedSlots++;
      this.#evict(nowMs);
    }
    return this.#freeCount > 0 ? this.#free[--this.#freeCount]! : none;
  }

  /** Forgets one unheld key, if it finds one: a fresh one, else the first, whose state stays in its overflow cell. */
  #evict(nowMs: number): void {
    let evicted = none;
    for (let looks = Math.min(looksPerEviction, this.#maxKeys); looks > 0; looks--) {
      const slot = this.#evictionHand;
      this.#evictionHand = slot + 1 < this.#maxKeys ? slot + 1 : 0;
      if (this.#holds[slot] !== 0) continue;
      if (this.#limiter.isFresh(slot, nowMs)) return this.#forget(slot);
      if (evicted === none) evicted = slot;
    }
    if (evicted === none) return;
    this.#limiter.merge(evicted, this.#cellOf(this.#table.highOf(evicted)), nowMs);
    this.#forget(evicted);
  }

  #forget(slot: number): void {
    this.#table.remove(slot);
    this.#keys[slot] = undefined;
    this.#free[this.#freeCount++] = slot;
  }

  #cellOf(high: number): number {
    return this.#maxKeys + (high & this.#cellMask);
  }
}

function int32At(bytes: string, at: number): number {
  return (
    bytes.charCodeAt(at) |
    (bytes.charCodeAt(at + 1) << 8) |
    (bytes.charCodeAt(at + 2) << 16) |
    (bytes.charCodeAt(at + 3) << 24)
  );
}

/** A copy, for a part of a string keeps the whole in memory: of a URL, say. */
function shownKey(key: string): string {
  return Buffer.from(key.slice(0, shownLength)).toString();
}
