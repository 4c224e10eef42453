import type { LimitFigures } from '../../ratelimit/limits.ts';
import type { RateLimitConfig } from '../config/schema.ts';

/** One limit and what it has done since it was set. */
export type LimitSnapshot = LimitFigures;

/** All limits, and whether Redis shares them. */
export interface LimitsSnapshot {
  readonly limits: readonly LimitSnapshot[];
  readonly shared: { readonly redis: 'off' | 'up' | 'down' };
}

/** What the admin API needs of the limits. */
export interface LimitsControl {
  /** The paths that a limit of scope route may name. */
  readonly routes: readonly string[];
  snapshot(): LimitsSnapshot;
  /** These limits from now on, instead of all that there were. */
  replace(rateLimits: readonly RateLimitConfig[]): void;
}
