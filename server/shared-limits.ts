import { randomBytes } from 'node:crypto';
import { settingsOf } from '../ratelimit/limit.ts';
import { keyedBy } from '../ratelimit/limit-config.ts';
import { allLimits } from '../ratelimit/all-limits.ts';
import { keyCapacity } from '../ratelimit/create-limit.ts';
import { createThreadMemory, type ThreadMemory } from '../ratelimit/shared/thread-memory.ts';
import { completeConfig } from './config/load.ts';
import type { ConfigInput } from './config/schema.ts';

/** The limits that gateways in several threads of a process share; it can be posted to worker threads as it is. */
export interface SharedLimits {
  /** Seeds the hashes of keys, so that a key has the same place in all threads. */
  readonly secret: string;
  /** The memory of each limit, by its name. */
  readonly memories: ReadonlyMap<string, ThreadMemory>;
}

/**
 * Makes the memory for the rate limits of this configuration, but for those of single connections: to be handed to
 * `createGateway` in each thread, with the same configuration. A limit that is added later is each gateway's own. Throws
 * WSLUICE_CONFIG with all faults of the config.
 */
export function createSharedLimits(config: ConfigInput): SharedLimits {
  const { rateLimits, rateLimitKeys } = completeConfig(config);
  const shareable = allLimits(rateLimits).filter(({ config: limit }) => keyedBy(limit) !== 'connection');
  const memories = new Map(
    shareable.map(({ name, config: limit }) => {
      const cells = keyCapacity(limit, rateLimitKeys.maxPerLimit);
      return [name, createThreadMemory({ strategy: limit.strategy, settings: settingsOf(limit), cells })];
    }),
  );
  return { secret: randomBytes(16).toString('hex'), memories };
}
