import type { LimiterSettings } from '../limiter.ts';
import type { StrategyName } from '../strategies.ts';

const maxPauseMs = 5;

/** How much may be leased at once, and how soon again. */
export interface LeaseSize {
  /** All that a key can hold. */
  readonly capacity: number;
  /** What is leased ahead of need at most: no gateway may hoard what others could use. */
  readonly share: number;
  /** How long a key that had less than was wanted is left alone: no longer than until a quarter of it has come back. */
  readonly pauseMs: number;
}

/** What suits a limit with these settings. */
export function leaseSize(strategy: StrategyName, settings: LimiterSettings): LeaseSize {
  const { ratePerSecond, burst, windowMs } = settings;
  const units = strategy === 'sliding-window' ? (ratePerSecond * windowMs) / 1000 : burst;
  const capacity = Math.max(1, Math.floor(units));
  return {
    capacity,
    share: Math.max(1, Math.floor(Math.min(capacity / 4, ratePerSecond / 10))),
    pauseMs: Math.min(maxPauseMs, (capacity * 250) / ratePerSecond),
  };
}
