import { expect, it } from 'vitest';
import { limitNotices } from './limit-notices.ts';
import { completeConfig } from './load.ts';
import type { ConfigInput } from './schema.ts';

type LimitInput = Partial<NonNullable<ConfigInput['rateLimits']>[number]>;

function notices(limits: readonly LimitInput[], rest: ConfigInput = {}): string[] {
  const rateLimits = limits.map((limit) => ({
    scope: 'global' as const,
    strategy: 'token-bucket' as const,
    requestsPerSecond: 5,
    ...limit,
  }));
  return limitNotices(completeConfig({ ...rest, rateLimits }));
}

const redis = { url: 'redis://localhost' };

it('says nothing of limits that do what they say', () => {
  expect(notices([])).toEqual([]);
  expect(notices([{}, { scope: 'ip', onExceed: 'delay' }, { scope: 'connection' }])).toEqual([]);
  expect(notices([{ scope: 'identity' }], { identity: { query: 'key' } })).toEqual([]);
  expect(notices([{ scope: 'method', match: 'a' }], { pools: { main: { mode: 'request' } } })).toEqual([]);
  expect(notices([{}, { scope: 'connection' }], { redis })).toEqual([]);
});

it('says that a burst means nothing to a window', () => {
  expect(notices([{}, { strategy: 'sliding-window', burst: 5 }])).toEqual([
    'rateLimits[1].burst has no effect on a sliding window',
  ]);
});

it.each<LimitInput>([{ scope: 'identity' }, { scope: 'route', per: 'identity' }])(
  'says of %j that nobody has an identity',
  (limit) =>
    expect(notices([limit])).toEqual([
      'rateLimits[0]: nobody has an identity: the address counts until identity.header or identity.query is set',
    ]),
);

it('says that methods are only looked at in request mode', () => {
  expect(notices([{ scope: 'method', match: 'a' }])).toEqual([
    'rateLimits[0] limits a method, and no pool is in request mode',
  ]);
});

it('says which limits each gateway keeps to itself', () => {
  expect(
    notices([{}, { scope: 'ip', onExceed: 'delay' }, { scope: 'ip', unit: 'connections' }], { redis }),
  ).toEqual([
    'rateLimits[1] delays, which each gateway does by itself, without redis.url',
    'rateLimits[2] counts connections, which each gateway does by itself, without redis.url',
  ]);
});

it.each<[string, LimitInput[]]>([
  ['no limit', []],
  ['one on each connection', [{ scope: 'connection' }]],
  ['one on each connection to a route', [{ scope: 'route', per: 'connection' }]],
])('says that Redis is of no use with %s', (_, limits) =>
  expect(notices(limits, { redis })).toEqual([
    'redis.url has no effect: there is no limit that gateways could share',
  ]),
);
