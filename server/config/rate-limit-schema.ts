import { z } from 'zod';
import { filledText, milliseconds, oneOf, whole, withRule, type Breach } from './scalars.ts';

/** One in eleven days: what strategies can still count in whole numbers, and slower than anybody needs. */
const leastRate = 0.000001;

const entry = z.strictObject({
  scope: oneOf(['global', 'connection', 'ip', 'identity', 'route', 'method']).meta({
    description:
      'What shares one allowance: everything, one client connection, an address (IPv6: one /64), an identity, a route or a JSON-RPC method.',
  }),
  strategy: oneOf(['token-bucket', 'leaky-bucket', 'sliding-window']).meta({
    description:
      'How they are counted: a bucket that refills, one that drains at the rate, or a window that moves on.',
  }),
  requestsPerSecond: z
    .number()
    .min(leastRate)
    .max(1e9)
    .meta({ description: 'How many of the unit are allowed per second in the long run.' }),
  burst: whole(1, 1_000_000_000)
    .nullable()
    .default(null)
    .meta({ description: 'How many of the unit a bucket holds; null = those of one second, at least 1.' }),
  windowMs: milliseconds(10)
    .default(1_000)
    .meta({ description: 'Milliseconds that a sliding window spans.' }),
  match: filledText('a method name or route path').nullable().default(null).meta({
    description:
      'The method, or the prefix of methods that ends in * (scope method), or the route path (scope route) it applies to; null = each route by itself.',
  }),
  unit: oneOf(['messages', 'bytes', 'connections'])
    .default('messages')
    .meta({ description: 'What is counted; connections are new ones, at the upgrade.' }),
  per: oneOf(['global', 'connection', 'ip', 'identity']).default('global').meta({
    description:
      'Who has an allowance of their own within a method or route (scopes method and route); global = all share one.',
  }),
  onExceed: oneOf(['reject', 'drop', 'close', 'delay']).default('reject').meta({
    description:
      'What happens above the limit: an error, silence, close 1008, or a delay that shapes (buckets only).',
  }),
  maxDelayMs: milliseconds(1, 60_000).default(5_000).meta({
    description: 'Most milliseconds that a message is delayed; one that would wait longer is refused.',
  }),
  blockMs: milliseconds(0, 86_400_000)
    .default(0)
    .meta({ description: 'Milliseconds for which everything is refused once the limit is passed.' }),
  dryRun: z
    .boolean()
    .default(false)
    .meta({ description: 'Count what would be refused, and refuse nothing.' }),
});

type Entry = z.output<typeof entry>;

interface Rule {
  /** What it reads; it is left out while one of these is at fault itself. */
  readonly keys: readonly (keyof Entry)[];
  readonly breaches: (limit: Entry) => readonly Breach[];
}

const connectionScopes: readonly string[] = ['global', 'ip', 'identity', 'route'];

const rules: readonly Rule[] = [
  { keys: ['scope', 'match'], breaches: matchBreaches },
  {
    keys: ['scope', 'per'],
    breaches: ({ scope, per }) =>
      per === 'global' || hasMatch(scope)
        ? []
        : [{ path: ['per'], problem: `has no meaning for scope ${scope}; it belongs to method and route` }],
  },
  {
    keys: ['strategy', 'onExceed'],
    breaches: ({ strategy, onExceed }) =>
      onExceed === 'delay' && strategy === 'sliding-window'
        ? [{ path: ['onExceed'], problem: 'needs a bucket: token-bucket or leaky-bucket' }]
        : [],
  },
  {
    keys: ['onExceed', 'blockMs'],
    breaches: ({ onExceed, blockMs }) =>
      onExceed === 'delay' && blockMs > 0
        ? [{ path: ['blockMs'], sibling: 'onExceed', problem: 'excludes % delay; leave one of them out' }]
        : [],
  },
  {
    keys: ['scope', 'unit'],
    breaches: ({ scope, unit }) =>
      unit === 'connections' && !connectionScopes.includes(scope)
        ? [
            {
              path: ['unit'],
              problem: `has no meaning for scope ${scope}; it belongs to global, ip, identity and route`,
            },
          ]
        : [],
  },
  {
    keys: ['scope', 'unit', 'per'],
    breaches: ({ scope, unit, per }) =>
      scope === 'route' && unit === 'connections' && per === 'connection'
        ? [
            {
              path: ['per'],
              sibling: 'unit',
              problem: 'can refuse nothing where % is connections: each has an allowance of its own',
            },
          ]
        : [],
  },
  {
    keys: ['unit', 'onExceed'],
    breaches: ({ unit, onExceed }) =>
      unit === 'connections' && onExceed !== 'reject'
        ? [
            {
              path: ['onExceed'],
              sibling: 'unit',
              problem: 'has no meaning where % is connections, which are rejected',
            },
          ]
        : [],
  },
  {
    keys: ['strategy', 'requestsPerSecond', 'windowMs'],
    breaches: ({ strategy, requestsPerSecond, windowMs }) =>
      strategy !== 'sliding-window' || requestsPerSecond * windowMs >= 1_000
        ? []
        : [
            {
              path: ['requestsPerSecond'],
              sibling: 'windowMs',
              problem: `allows less than 1 in % (${windowMs}); raise one of them`,
            },
          ],
  },
];

/** One entry of `rateLimits`, with the rules between its keys. */
export const rateLimitSchema = rules.reduce(
  (schema, { keys, breaches }) => withRule(schema, keys, breaches),
  entry,
);

function hasMatch(scope: string): boolean {
  return scope === 'method' || scope === 'route';
}

function matchBreaches({ scope, match }: Entry): Breach[] {
  const breach = (problem: string): Breach[] => [{ path: ['match'], problem }];
  if (match === null) {
    return scope === 'method' ? breach('is not the name of a method, which scope method needs') : [];
  }
  if (!hasMatch(scope)) return breach(`has no meaning for scope ${scope}; it belongs to method and route`);
  return scope === 'method' && match.slice(0, -1).includes('*')
    ? breach('has a * before its end, where alone it stands for any ending')
    : [];
}
