import { describe, expect, it } from 'vitest';
import { ConfigError } from './faults.ts';
import type { FlagValues } from './flags.ts';
import { loadConfig } from './load.ts';
import type { RateLimitConfig } from './schema.ts';

const rate = { strategy: 'token-bucket', requestsPerSecond: 5 };

function load(file: object, flags: FlagValues = {}): readonly RateLimitConfig[] {
  return loadConfig({ file: 'w.json', env: {}, flags, readFile: () => JSON.stringify(file) }).config
    .rateLimits;
}

function linesOf(file: object, flags: FlagValues = {}): string[] {
  try {
    load(file, flags);
  } catch (error) {
    if (error instanceof ConfigError) return error.lines;
    throw error;
  }
  return [];
}

const limitLines = (...limits: object[]): string[] =>
  linesOf({ rateLimits: limits.map((limit) => ({ ...rate, ...limit })) });

it('fills in what a limit leaves out', () => {
  expect(load({ rateLimits: [{ scope: 'ip', ...rate }] })).toEqual([
    {
      scope: 'ip',
      strategy: 'token-bucket',
      requestsPerSecond: 5,
      burst: null,
      windowMs: 1_000,
      match: null,
      unit: 'messages',
      per: 'global',
      onExceed: 'reject',
      maxDelayMs: 5_000,
      blockMs: 0,
      dryRun: false,
    },
  ]);
});

describe('rateLimits', () => {
  it.each<[string, object]>([
    ['a method', { scope: 'method', match: 'tools/call' }],
    ['methods with a prefix', { scope: 'method', match: 'tools/*' }],
    ['every method', { scope: 'method', match: '*' }],
    ['a method for each address', { scope: 'method', match: 'a', per: 'ip' }],
    ['each route for each identity', { scope: 'route', per: 'identity' }],
    ['one route', { scope: 'route', match: '/ws' }],
    ['a bucket that delays', { scope: 'global', onExceed: 'delay', maxDelayMs: 60_000 }],
    ['one in eleven days', { scope: 'ip', requestsPerSecond: 0.000001 }],
    ['bytes that drain', { scope: 'ip', strategy: 'leaky-bucket', unit: 'bytes', onExceed: 'delay' }],
    ['new connections of an address', { scope: 'ip', unit: 'connections' }],
    ['new connections to a route for each address', { scope: 'route', unit: 'connections', per: 'ip' }],
    [
      'a window that holds 1',
      { scope: 'ip', strategy: 'sliding-window', requestsPerSecond: 0.1, windowMs: 10_000 },
    ],
    ['a window with a burst', { scope: 'ip', strategy: 'sliding-window', burst: 5 }],
  ])('take %s', (_, limit) => expect(limitLines(limit)).toEqual([]));

  it.each<[object, string]>([
    [{ scope: 'method' }, 'match: null is not the name of a method, which scope method needs'],
    [{ scope: 'ip', match: 'a' }, 'match: "a" has no meaning for scope ip; it belongs to method and route'],
    [
      { scope: 'method', match: 'a*b' },
      'match: "a*b" has a * before its end, where alone it stands for any ending',
    ],
    [
      { scope: 'method', match: '**' },
      'match: "**" has a * before its end, where alone it stands for any ending',
    ],
    [{ scope: 'route', match: '/w*' }, 'match: "/w*" is not the path of a route; there is /ws'],
    [
      { scope: 'connection', per: 'ip' },
      'per: "ip" has no meaning for scope connection; it belongs to method and route',
    ],
    [
      { scope: 'ip', strategy: 'sliding-window', onExceed: 'delay' },
      'onExceed: "delay" needs a bucket: token-bucket or leaky-bucket',
    ],
    [
      { scope: 'ip', onExceed: 'delay', blockMs: 1 },
      'blockMs: 1 excludes rateLimits[0].onExceed delay; leave one of them out',
    ],
    ...['connection', 'method'].map((scope): [object, string] => [
      { scope, unit: 'connections', ...(scope === 'method' ? { match: 'a' } : {}) },
      `unit: "connections" has no meaning for scope ${scope}; it belongs to global, ip, identity and route`,
    ]),
    [
      { scope: 'route', unit: 'connections', per: 'connection' },
      'per: "connection" can refuse nothing where rateLimits[0].unit is connections: each has an allowance of its own',
    ],
    [
      { scope: 'method', match: 'a', unit: 'connections', per: 'connection' },
      'unit: "connections" has no meaning for scope method; it belongs to global, ip, identity and route',
    ],
    ...[0, 1e-7, 1e-308].map((requestsPerSecond): [object, string] => [
      { scope: 'ip', requestsPerSecond },
      `requestsPerSecond: ${requestsPerSecond} is not a number from 0.000001 to 1000000000`,
    ]),
    ...['drop', 'close', 'delay'].map((onExceed): [object, string] => [
      { scope: 'ip', unit: 'connections', onExceed },
      `onExceed: "${onExceed}" has no meaning where rateLimits[0].unit is connections, which are rejected`,
    ]),
    [
      { scope: 'ip', strategy: 'sliding-window', requestsPerSecond: 0.5 },
      'requestsPerSecond: 0.5 allows less than 1 in rateLimits[0].windowMs (1000); raise one of them',
    ],
    [{ scope: 'ip', maxDelayMs: 0 }, 'maxDelayMs: 0 is not a whole number from 1 to 60000'],
  ])('refuse %j', (limit, line) => expect(limitLines(limit)).toEqual([`rateLimits[0].${line}`]));

  it('have faults of their own in flags too', () => {
    const rateLimit = ['sliding-window:0.5/s', 'token-bucket:5/s', 'token-bucket:5/s'];
    expect(linesOf({}, { rateLimit })).toEqual([
      '--rate-limit sliding-window:0.5/s: requestsPerSecond 0.5 allows less than 1 in rateLimits[0].windowMs (1000); raise one of them',
      '--rate-limit token-bucket:5/s: the same as rateLimits[1]',
    ]);
  });
});

describe('two limits', () => {
  const [window, method] = [{ scope: 'ip', strategy: 'sliding-window' }, { scope: 'method' }];

  it('that are the same are a fault', () =>
    expect(limitLines({ scope: 'global' }, { scope: 'ip', burst: 1 }, { scope: 'ip', burst: 1 })).toEqual([
      'rateLimits[2]: is the same as rateLimits[1]',
    ]));

  it.each<[string, object, object]>([
    ['scope', { scope: 'ip' }, { scope: 'connection' }],
    ['strategy', { scope: 'ip' }, { scope: 'ip', strategy: 'leaky-bucket' }],
    ['unit', { scope: 'ip' }, { scope: 'ip', unit: 'bytes' }],
    ['match', { ...method, match: 'a' }, { ...method, match: 'a*' }],
    ['per', { scope: 'route' }, { scope: 'route', per: 'ip' }],
    ['window', window, { ...window, windowMs: 60_000 }],
    ['rate', { scope: 'ip', burst: 20 }, { scope: 'ip', requestsPerSecond: 0.5, burst: 20 }],
  ])('of another %s stand side by side', (_, first, second) => expect(limitLines(first, second)).toEqual([]));

  it('are compared beside other faults', () => {
    expect(limitLines({ scope: 'ip' }, { scope: 'ip' }, { scope: 'nobody' }, 7 as never)).toEqual([
      'rateLimits[2].scope: "nobody" is not global, connection, ip, identity, route or method',
      'rateLimits[3].scope: is missing; it takes global, connection, ip, identity, route or method',
      'rateLimits[1]: is the same as rateLimits[0]',
    ]);
  });
});

it('takes for a route what the flags make of the routes', () => {
  const file = { rateLimits: [{ scope: 'route', match: '/api', ...rate }] };
  expect(linesOf(file, { path: '/api' })).toEqual([]);
  expect(linesOf({ ...file, routes: ['/a', '/b'].map((path) => ({ path, pool: 'main' })) })).toEqual([
    'rateLimits[0].match: "/api" is not the path of a route; there are /a, /b',
  ]);
});
