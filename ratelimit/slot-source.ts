import type { Limiter } from './limiter.ts';

const allKey = 'all';

/** Gives out the slots of a limiter. */
export interface SlotSource {
  /** Keys that have a slot now. */
  readonly size: number;
  /** The slot of a key, held until it was released as often as it was acquired. */
  acquire(key: string, nowMs: number): number;
  release(slot: number): void;
  /** Forgets keys that nobody holds and that are fresh, looking at no more than `count` slots; returns how many it forgot. */
  sweep(count: number, nowMs: number): number;
  /** Visits every slot that belongs to a key. */
  forEachSlot(visit: (slot: number, key: string) => void): void;
}

/** One allowance for all. */
export class OneSlot implements SlotSource {
  readonly size = 1;

  constructor(limiter: Pick<Limiter, 'reset'>) {
    limiter.reset(0, allKey);
  }

  acquire(): number {
    return 0;
  }

  release(): void {
    // Nobody owns it.
  }

  sweep(): number {
    return 0;
  }

  forEachSlot(visit: (slot: number, key: string) => void): void {
    visit(0, allKey);
  }
}
