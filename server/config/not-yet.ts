import type { Config, PoolConfig } from './schema.ts';
import { valueAt } from './tree.ts';

/** Keys of a pool that are checked, and wait for a later version. */
const waitingPoolKeys: readonly (keyof PoolConfig)[] = ['healthCheckIntervalMs', 'breaker'];

const dedicatedDeflate =
  'listen.permessageDeflate: a dedicated compressor takes 70 KiB for each client and packs less than shared (docs/codecs.md)';

/**
 * One sentence for each setting that is accepted but has no effect in this version, or not the one to expect.
 * `given` is the configuration as it was written, to tell what was asked for from what is a default.
 */
export function notYetInEffect(config: Config, given: unknown = {}): string[] {
  const waiting = [
    ...Object.keys(config.pools).flatMap((pool) =>
      waitingPoolKeys
        .filter((key) => isGiven(given, 'pools', pool, key))
        .map((key) => `pools.${pool}.${key}`),
    ),
  ];
  const sentences = [
    ...waiting.map((key) => `${key} has no effect in this version`),
    ...(config.listen.permessageDeflate.startsWith('dedicated') ? [dedicatedDeflate] : []),
  ];
  return config.workers === 1
    ? sentences
    : [...sentences, 'workers has no effect in this version: there is one'];
}

function isGiven(given: unknown, ...path: readonly string[]): boolean {
  return valueAt(given, path) !== undefined;
}
