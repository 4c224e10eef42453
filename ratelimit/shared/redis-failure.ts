import type { Limiter } from '../limiter.ts';

/** Without Redis: each gateway by itself, everything passes, or nothing does. */
export type OnFailure = 'local' | 'open' | 'closed';

const closedWaitMs = 1_000;

/** Decides while Redis does not; `local` decides where that is configured. */
export class FailureMode {
  readonly #mode: OnFailure;
  readonly #local: Limiter;
  /** Taken while Redis was late, which it does not know of. */
  readonly #unleased: Float64Array;

  constructor(mode: OnFailure, local: Limiter, slots: number) {
    this.#mode = mode;
    this.#local = local;
    this.#unleased = new Float64Array(slots);
  }

  take(slot: number, cost: number, nowMs: number): number {
    if (this.#mode === 'local') return this.#local.take(slot, cost, nowMs);
    return this.#mode === 'open' ? 0 : closedWaitMs;
  }

  peek(slot: number, cost: number, nowMs: number): number {
    if (this.#mode === 'local') return this.#local.peek(slot, cost, nowMs);
    return this.#mode === 'open' ? 0 : closedWaitMs;
  }

  refund(slot: number, cost: number): void {
    if (this.#mode === 'local') this.#local.refund(slot, cost);
  }

  /** Takes while Redis is late with the slot: it is to hear of it. */
  takeUnleased(slot: number, cost: number, nowMs: number): number {
    const waitMs = this.take(slot, cost, nowMs);
    if (waitMs === 0) this.#unleased[slot]! += cost;
    return waitMs;
  }

  refundUnleased(slot: number, cost: number): void {
    this.#unleased[slot]! -= cost;
    this.refund(slot, cost);
  }

  /** Units that Redis is to hear of, once; those of a mode that does not count are none. */
  settleUnleased(slot: number): number {
    const units = this.#unleased[slot]!;
    this.#unleased[slot] = 0;
    return this.#mode === 'local' ? units : 0;
  }

  /** What was leased may be used: should `local` decide, it goes on from there. What does not fit any more is taken in part. */
  prime(slot: number, units: number, nowMs: number): void {
    if (this.#mode !== 'local' || this.#local.take(slot, units, nowMs) === 0) return;
    for (let part = units / 2; part >= 0.5; part /= 2) this.#local.take(slot, Math.ceil(part), nowMs);
  }
}
