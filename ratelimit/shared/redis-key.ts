import { hash } from 'node:crypto';

const hashLength = 22;

/**
 * The key in Redis of a key under a limit, of bounded length. It does not show whose it is, but hides it from nobody who
 * guesses: all gateways have to come to the same hash, so it has no salt, and of IPv4 addresses all can be tried.
 */
export function redisKey(keyPrefix: string, limit: string, key: string): string {
  return `${keyPrefix}${limit}:${hash('sha256', key, 'base64url').slice(0, hashLength)}`;
}
