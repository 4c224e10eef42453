import { hash } from 'node:crypto';

const hashLength = 22;

/** The key in Redis of a key under a limit: of bounded length, and nobody can read in it whose it is. */
export function redisKey(keyPrefix: string, limit: string, key: string): string {
  return `${keyPrefix}${limit}:${hash('sha256', key, 'base64url').slice(0, hashLength)}`;
}
