import type { Limiter } from './limiter.ts';
import type { SlotSource } from './slot-source.ts';

/**
 * A fresh slot for each connection, whatever its key; the slots of closed connections are used again. The last slot is shared by
 * all that come when the others are taken.
 */
export class ConnectionSlots implements SlotSource {
  readonly #limiter: Pick<Limiter, 'reset'>;
  readonly #capacity: number;
  readonly #free: number[] = [];
  readonly #keys: (string | undefined)[] = [];
  #size = 0;

  /** `capacity` is how many connections there can be at once, and one. */
  constructor(limiter: Pick<Limiter, 'reset'>, capacity: number) {
    this.#limiter = limiter;
    this.#capacity = capacity;
  }

  get size(): number {
    return this.#size;
  }

  acquire(key: string): number {
    const slot = this.#free.pop() ?? this.#keys.length;
    if (slot >= this.#capacity - 1) return this.#capacity - 1;
    this.#size++;
    this.#keys[slot] = key;
    this.#limiter.reset(slot, key);
    return slot;
  }

  release(slot: number): void {
    if (slot === this.#capacity - 1) return;
    if (this.#keys[slot] === undefined) throw new Error('bug: a connection gave its slot back twice');
    this.#size--;
    this.#keys[slot] = undefined;
    this.#free.push(slot);
  }

  sweep(): number {
    return 0;
  }

  forEachSlot(visit: (slot: number, key: string) => void): void {
    this.#keys.forEach((key, slot) => {
      if (key !== undefined) visit(slot, key);
    });
  }
}
