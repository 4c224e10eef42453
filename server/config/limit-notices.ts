import type { Config, RateLimitConfig } from './schema.ts';
import { keyText } from './tree.ts';

/** Whether gateways share this limit through Redis, where one is set. */
export function isShareable({ scope, per, unit, onExceed }: RateLimitConfig): boolean {
  const isPerConnection = scope === 'connection' || per === 'connection';
  return !isPerConnection && unit !== 'connections' && onExceed !== 'delay';
}

/** One sentence for each setting of the limits that does not do what one may expect of it. */
export function limitNotices({ rateLimits, identity, pools, redis }: Config): string[] {
  const hasIdentity = identity.header !== null || identity.query !== null;
  const hasRequestMode = Object.values(pools).some(({ mode }) => mode === 'request');
  const notices = rateLimits.flatMap((limit, index) => {
    const key = keyText(['rateLimits', index]);
    return [
      ...idleSettings(limit, key),
      ...(hasIdentity || !isByIdentity(limit) ? [] : [`${key}: ${nobody}`]),
      ...(hasRequestMode || limit.scope !== 'method'
        ? []
        : [`${key} limits a method, and no pool is in request mode`]),
      ...(redis.url === null ? [] : ownToEachGateway(limit, key)),
    ];
  });
  if (redis.url === null || rateLimits.some(isShareable)) return notices;
  return [...notices, 'redis.url has no effect: there is no limit that gateways could share'];
}

const nobody = 'nobody has an identity: the address counts until identity.header or identity.query is set';

function isByIdentity({ scope, per }: RateLimitConfig): boolean {
  return scope === 'identity' || per === 'identity';
}

function idleSettings({ strategy, burst }: RateLimitConfig, key: string): string[] {
  return strategy === 'sliding-window' && burst !== null
    ? [`${key}.burst has no effect on a sliding window`]
    : [];
}

function ownToEachGateway({ unit, onExceed }: RateLimitConfig, key: string): string[] {
  if (onExceed === 'delay') return [`${key} delays, which each gateway does by itself, without redis.url`];
  return unit === 'connections'
    ? [`${key} counts connections, which each gateway does by itself, without redis.url`]
    : [];
}
