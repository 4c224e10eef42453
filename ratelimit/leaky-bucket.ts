import { DrainingLevels } from './draining-levels.ts';
import type { DelayingLimiter, LimiterSettings } from './limiter.ts';

/**
 * A bucket that holds `burst`, starts empty and drains at the rate. As a meter it refuses what does not fit; as a shaper it lets
 * everything pass when what came before has drained, at the rate and never faster. Never lets more pass than an exact bucket
 * would; waits are whole milliseconds, rounded up, delays are not rounded.
 */
export class LeakyBucket implements DelayingLimiter {
  readonly #held: DrainingLevels;

  constructor(settings: LimiterSettings, slots: number) {
    this.#held = new DrainingLevels(settings, slots);
  }

  take(slot: number, cost: number, nowMs: number): number {
    return this.#held.fill(slot, cost, nowMs) ? 0 : this.peek(slot, cost, nowMs);
  }

  /** Refuses, too, what the bucket has no room for; what fits passes when those before it have drained. */
  takeDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number {
    const delayMs = this.#held.msUntilEmpty(slot, nowMs);
    if (delayMs > maxDelayMs) return -1;
    return this.#held.fill(slot, cost, nowMs) ? delayMs : -1;
  }

  peekDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number {
    const roomMs = this.#held.msUntilRoom(slot, cost, nowMs);
    return Math.max(0, Math.ceil(Math.max(roomMs, this.#held.msUntilEmpty(slot, nowMs) - maxDelayMs)));
  }

  peek(slot: number, cost: number, nowMs: number): number {
    return Math.ceil(this.#held.msUntilRoom(slot, cost, nowMs));
  }

  refund(slot: number, cost: number): void {
    this.#held.remove(slot, cost);
  }

  block(slot: number, durationMs: number, nowMs: number): void {
    this.#held.block(slot, durationMs, nowMs);
  }

  isFresh(slot: number, nowMs: number): boolean {
    return this.#held.isEmpty(slot, nowMs);
  }

  reset(slot: number): void {
    this.#held.empty(slot);
  }

  merge(from: number, to: number, nowMs: number): void {
    this.#held.merge(from, to, nowMs);
  }

  configure(settings: LimiterSettings, nowMs: number): void {
    this.#held.configure(settings, nowMs);
  }
}
