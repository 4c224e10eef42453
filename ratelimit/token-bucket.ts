import { DrainingLevels } from './draining-levels.ts';
import type { DelayingLimiter, LimiterSettings } from './limiter.ts';

/**
 * A bucket of `burst` tokens that starts full and is refilled at the rate. What is kept is how many tokens are spent, a level that
 * drains as they come back. Never lets more pass than an exact bucket would; waits are whole milliseconds, rounded up.
 */
export class TokenBucket implements DelayingLimiter {
  readonly #spent: DrainingLevels;

  constructor(settings: LimiterSettings, slots: number) {
    this.#spent = new DrainingLevels(settings, slots);
  }

  take(slot: number, cost: number, nowMs: number): number {
    return this.#spent.fill(slot, cost, nowMs) ? 0 : this.peek(slot, cost, nowMs);
  }

  /** Lets what tokens there are pass at once, then spends those that are still to come. */
  takeDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number {
    const delayMs = this.#spent.msUntilRoom(slot, cost, nowMs);
    if (delayMs > maxDelayMs) return -1;
    this.#spent.overfill(slot, cost, nowMs);
    return delayMs;
  }

  peekDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number {
    return Math.max(0, Math.ceil(this.#spent.msUntilRoom(slot, cost, nowMs) - maxDelayMs));
  }

  peek(slot: number, cost: number, nowMs: number): number {
    return Math.ceil(this.#spent.msUntilRoom(slot, cost, nowMs));
  }

  refund(slot: number, cost: number): void {
    this.#spent.remove(slot, cost);
  }

  block(slot: number, durationMs: number, nowMs: number): void {
    this.#spent.block(slot, durationMs, nowMs);
  }

  isFresh(slot: number, nowMs: number): boolean {
    return this.#spent.isEmpty(slot, nowMs);
  }

  reset(slot: number): void {
    this.#spent.empty(slot);
  }

  merge(from: number, to: number, nowMs: number): void {
    this.#spent.merge(from, to, nowMs);
  }

  configure(settings: LimiterSettings, nowMs: number): void {
    this.#spent.configure(settings, nowMs);
  }
}
