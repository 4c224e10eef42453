import type { RateLimitConfig } from '../config/schema.ts';

/** One limit and what it has done since it was set. */
export interface LimitSnapshot {
  readonly name: string;
  /** It follows from another one, for new connections, and is not to be put back. */
  readonly isImplied: boolean;
  readonly config: RateLimitConfig;
  /** Addresses, identities and the like that it keeps apart now. */
  readonly keys: number;
  /** How often it decided what. */
  readonly decisions: Readonly<Record<string, number>>;
  /** The most limited keys, hashed or clear as configured. */
  readonly topKeys: readonly {
    readonly key: string;
    readonly refused: number;
    readonly retryAfterMs: number;
  }[];
}

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
