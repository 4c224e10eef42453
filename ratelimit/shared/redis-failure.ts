import type { Limiter } from '../limiter.ts';

/** Without Redis: each gateway by itself, everything passes, or nothing does. */
export type OnFailure = 'local' | 'open' | 'closed';

const closedWaitMs = 1_000;

/** Decides while Redis does not; `local` decides where that is configured. */
export class FailureMode {
  readonly #mode: OnFailure;
  readonly #local: Limiter;

  constructor(mode: OnFailure, local: Limiter) {
    this.#mode = mode;
    this.#local = local;
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
}
