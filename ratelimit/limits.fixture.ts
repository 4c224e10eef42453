import type { LimitConfig } from './limit-config.ts';
import { settingsOf } from './limit.ts';
import { Limits, type LimitsOptions } from './limits.ts';
import { createLimiter } from './strategies.ts';

/** A limit of one message a second for each connection, but for what is said. */
export function limitOf(differing: Partial<LimitConfig> = {}): LimitConfig {
  return {
    scope: 'connection',
    strategy: 'token-bucket',
    requestsPerSecond: 1,
    burst: null,
    windowMs: 1_000,
    match: null,
    unit: 'messages',
    per: 'global',
    onExceed: 'reject',
    maxDelayMs: 5_000,
    blockMs: 0,
    dryRun: false,
    ...differing,
  };
}

/** Limits of this process alone, their clock at 0 unless said. */
export function localLimits(
  configs: readonly Partial<LimitConfig>[] = [],
  options: Partial<LimitsOptions> = {},
): Limits {
  return new Limits({
    configs: configs.map(limitOf),
    maxConnections: 100,
    maxKeysPerLimit: 1_000,
    showKeys: 'clear',
    secret: 'secret',
    now: () => 0,
    createLimiter: ({ config, slots }) => createLimiter(config.strategy, settingsOf(config), slots),
    isShared: () => false,
    ...options,
  });
}
