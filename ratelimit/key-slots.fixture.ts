import { KeySlots } from './key-slots.ts';

/** A limiter reduced to what eviction is about: until when each slot is limited. It counts the slots that it was asked about. */
export class UntilLimiter {
  readonly limitedUntilMs: Float64Array;
  looks = 0;

  constructor(slots: number) {
    this.limitedUntilMs = new Float64Array(slots);
  }

  limit(slot: number, untilMs: number): void {
    this.limitedUntilMs[slot] = Math.max(this.limitedUntilMs[slot]!, untilMs);
  }

  isFresh(slot: number, nowMs: number): boolean {
    this.looks++;
    return this.limitedUntilMs[slot]! <= nowMs;
  }

  reset(slot: number): void {
    this.limitedUntilMs[slot] = 0;
  }

  merge(from: number, to: number): void {
    this.limit(to, this.limitedUntilMs[from]!);
  }
}

/** Slots over such a limiter. */
export function slotsOver(maxKeys: number, overflowCells = 4): { slots: KeySlots; limiter: UntilLimiter } {
  const limiter = new UntilLimiter(KeySlots.slotCount(maxKeys, overflowCells));
  return { slots: new KeySlots({ maxKeys, overflowCells, limiter, secret: 'a secret' }), limiter };
}
