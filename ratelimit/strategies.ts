import { LeakyBucket } from './leaky-bucket.ts';
import type { DelayingLimiter, Limiter, LimiterSettings } from './limiter.ts';
import { SlidingWindow } from './sliding-window.ts';
import { TokenBucket } from './token-bucket.ts';

/** Every strategy by its name in the config. */
export const strategyNames = ['token-bucket', 'leaky-bucket', 'sliding-window'] as const;

export type StrategyName = (typeof strategyNames)[number];

/** A limiter of its own, with all of its slots fresh; one that can delay for both buckets. */
export function createLimiter(
  strategy: 'token-bucket' | 'leaky-bucket',
  settings: LimiterSettings,
  slots: number,
): DelayingLimiter;
export function createLimiter(
  strategy: StrategyName,
  settings: LimiterSettings,
  slots: number,
): Limiter | DelayingLimiter;
export function createLimiter(
  strategy: StrategyName,
  settings: LimiterSettings,
  slots: number,
): Limiter | DelayingLimiter {
  switch (strategy) {
    case 'token-bucket':
      return new TokenBucket(settings, slots);
    case 'leaky-bucket':
      return new LeakyBucket(settings, slots);
    case 'sliding-window':
      return new SlidingWindow(settings, slots);
  }
}
