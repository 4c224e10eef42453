/** What a limit allows. */
export interface LimiterSettings {
  /** What is allowed per second in the long run: messages, bytes or connections. */
  readonly ratePerSecond: number;
  /** What a bucket holds; a sliding window does not look at it. At least 1. */
  readonly burst: number;
  /** What a sliding window spans; buckets do not look at it. */
  readonly windowMs: number;
}

/** Returned by limiters that ask elsewhere: nothing is taken, and it will be known in a moment. */
export const undecided = -1;

/**
 * The allowances of many keys under one limit, each in a numbered slot of typed arrays. Slots of zeros are fresh: nothing of
 * theirs is used. `nowMs` is a monotonic time, the same for all calls; a step back counts as no time. A cost above all that a
 * slot can ever hold passes when the slot is fresh, and is paid off after it.
 */
export interface Limiter {
  /** It leases its allowance from elsewhere, in blocks of its own; absent for limiters of this process alone. */
  readonly leases?: boolean;
  /** Takes `cost` and returns 0, or takes nothing and returns the milliseconds until it could be taken, or `undecided`. */
  take(slot: number, cost: number, nowMs: number): number;
  /** What `take` would return; takes nothing. */
  peek(slot: number, cost: number, nowMs: number): number;
  /** Gives back what `take` has just taken, with no other call for the slot but takes and refunds in between. */
  refund(slot: number, cost: number): void;
  /** Refuses everything for this long; after it a bucket starts with room for 1, a window empty. */
  block(slot: number, durationMs: number, nowMs: number): void;
  /** True when the slot may be forgotten: a fresh one would decide the same from now on. */
  isFresh(slot: number, nowMs: number): boolean;
  /** The slot stands for this key from now on, and is fresh. */
  reset(slot: number, key: string): void;
  /** Makes `to` at least as limited as `from` is. */
  merge(from: number, to: number, nowMs: number): void;
  /** Other settings from now on; what was used stays used. */
  configure(settings: LimiterSettings, nowMs: number): void;
  /** Gives back what was leased and is not used, some of it; absent where nothing is leased. To be called all the time. */
  sweep?(nowMs: number): void;
  /** The limit is no more; absent where there is nothing to give back. */
  close?(): void;
}

/** A limiter that can let things pass later instead of refusing them. */
export interface DelayingLimiter extends Limiter {
  /**
   * Takes `cost` and returns after how many milliseconds it should pass: 0 for now, never more than `maxDelayMs`. Returns −1, and
   * takes nothing, when it would have to wait longer.
   */
  takeDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number;
  /** Milliseconds until `takeDelayed` would take it; takes nothing. */
  peekDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number;
}
