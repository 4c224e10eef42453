import { z } from 'zod';
import { redisUrlProblem } from '../../ratelimit/shared/redis-url.ts';
import { isLoopback, isWildcard } from './addresses.ts';
import { codecSchema } from './codec-schema.ts';
import { identitySchema, rateLimitKeysSchema } from './identity-schema.ts';
import { host, listenSchema } from './listen-schema.ts';
import { poolSchema } from './pool-schema.ts';
import { profileNames } from './profiles.ts';
import { repeatedLimits, unknownRoutes } from './rate-limit-rules.ts';
import { rateLimitSchema } from './rate-limit-schema.ts';
import { repeatedPaths, routesSchema, unknownPools } from './route-schema.ts';
import {
  checkedText,
  filledText,
  milliseconds,
  oneOf,
  port,
  whole,
  withRule,
  type Breach,
} from './scalars.ts';

/** uWebSockets.js ends the process over an idle timeout above 960 s, and counts in steps of 4 s. */
const MAX_SILENCE_MS = 950_000;

const token = checkedText('8 or more visible ASCII characters', (text) =>
  /^[\x21-\x7e]{8,1024}$/.test(text) ? undefined : 'is not 8 or more visible ASCII characters',
);

const adminSchema = withRule(
  z.strictObject({
    host: host
      .default('127.0.0.1')
      .meta({ description: 'Address of the admin listener; one that others can reach needs a token.' }),
    port: port
      .default(8081)
      .meta({ description: 'Port of the admin listener; 0 takes any free one, the log tells which.' }),
    token: token.nullable().default(null).meta({
      description:
        'What Authorization: Bearer must carry, everywhere but on /health and /ready; null = nothing.',
    }),
  }),
  ['host', 'token'],
  (admin): Breach[] =>
    admin.token !== null || isLoopback(admin.host)
      ? []
      : [
          {
            path: ['host'],
            sibling: 'token',
            problem: 'can be reached from other machines, which needs % (or use 127.0.0.1)',
          },
        ],
);

const heartbeatSchema = withRule(
  z.strictObject({
    intervalMs: z
      .union([z.literal(0), milliseconds(50, 900_000)])
      .default(30_000)
      .meta({ description: 'Milliseconds between two pings of a client; 0 = none.' }),
    timeoutMs: milliseconds(50, 60_000)
      .default(10_000)
      .meta({ description: 'Milliseconds that the answer may take before the client counts as gone.' }),
  }),
  ['intervalMs', 'timeoutMs'],
  ({ intervalMs, timeoutMs }): Breach[] =>
    intervalMs + timeoutMs <= MAX_SILENCE_MS
      ? []
      : [
          {
            path: ['intervalMs'],
            sibling: 'timeoutMs',
            problem: `and % are more than ${MAX_SILENCE_MS} together`,
          },
        ],
);

const drainSchema = z.strictObject({
  spreadMs: milliseconds(0).default(10_000).meta({
    description: 'Milliseconds over which clients are closed, so that they do not come back at once.',
  }),
  timeoutMs: milliseconds(0)
    .default(30_000)
    .meta({ description: 'Milliseconds after which a drain ends, whatever is still in flight.' }),
});

const redisUrlForm =
  'a redis://, rediss://, redis+sentinel://host:port,…/master[/db] or redis+cluster://host:port,… URL';

const redisSchema = z.strictObject({
  url: checkedText(redisUrlForm, redisUrlProblem)
    .nullable()
    .default(null)
    .meta({ description: 'Redis that several gateways share their limits through; null = each by itself.' }),
  keyPrefix: filledText('text')
    .default('wsluice:')
    .meta({ description: 'What every key in Redis starts with.' }),
  onFailure: oneOf(['local', 'open', 'closed']).default('local').meta({
    description:
      'Without Redis: limit each gateway by itself (local), let everything through (open) or nothing (closed).',
  }),
});

const logSchema = z.strictObject({
  level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'])
    .default('info')
    .meta({ description: 'The least severe level that is logged.' }),
  slowRequestMs: milliseconds(0)
    .default(1_000)
    .meta({ description: 'Milliseconds from which on a request is slow: counted, and logged; 0 = never.' }),
  slowRequestsPerSecond: whole(0, 1_000).default(10).meta({
    description: 'Most slow requests in the log within a second; each line says how many were left out.',
  }),
});

/** How a pool is named, as it reads after "is not". */
export const poolNameForm = 'a pool name: 1 to 32 of a-z, 0-9 and -';
const poolName = z
  .string()
  .regex(/^[a-z0-9-]{1,32}$/)
  .meta({ allowed: poolNameForm });

/** How many entries `rateLimits` may have. */
export const maxRateLimits = 1_000;

const everything = z.strictObject({
  profile: oneOf(profileNames)
    .nullable()
    .default(null)
    .meta({ description: 'A set of defaults for one purpose; see Profiles.' }),
  workers: z
    .union([z.literal('auto'), whole(1, 256)])
    .default(1)
    .meta({ description: 'Worker threads; auto = one for each core.' }),
  listen: listenSchema.prefault({}).meta({ description: 'Where clients connect, and what they may do.' }),
  admin: adminSchema.prefault({}).meta({ description: 'Where health, metrics and the admin API are.' }),
  heartbeat: heartbeatSchema.prefault({}).meta({ description: 'Pings that find dead clients.' }),
  drain: drainSchema.prefault({}).meta({ description: 'How the gateway stops.' }),
  codec: codecSchema.prefault({}).meta({ description: 'Message compression that clients ask for.' }),
  identity: identitySchema
    .prefault({})
    .meta({ description: 'Where clients say who they are; the address counts for those who do not.' }),
  rateLimits: z
    .array(rateLimitSchema)
    .max(maxRateLimits)
    .default([])
    .meta({ description: 'Limits on messages, bytes and new connections; all that apply must allow one.' }),
  rateLimitKeys: rateLimitKeysSchema
    .prefault({})
    .meta({ description: 'The addresses and identities that limits tell apart.' }),
  routes: routesSchema,
  pools: z
    .record(poolName, poolSchema)
    .prefault({ main: {} })
    .meta({ description: 'Upstream connections, by pool name.' }),
  redis: redisSchema.prefault({}).meta({ description: 'State shared by several gateways.' }),
  log: logSchema.prefault({}).meta({ description: 'What is logged.' }),
});

const withDistinctPorts = withRule(everything, ['listen', 'admin'], ({ listen, admin }): Breach[] => {
  const meet = listen.host === admin.host || isWildcard(listen.host) || isWildcard(admin.host);
  if (listen.port !== admin.port || listen.port === 0 || !meet) return [];
  return [{ path: ['admin', 'port'], problem: 'is the port of listen.port too' }];
});

/** Every setting of the gateway, once: its type, bounds, default and meaning. */
export const configSchema = withRule(withDistinctPorts, [], ({ routes, pools, rateLimits }) => [
  ...repeatedPaths(routes),
  ...unknownPools(routes, pools),
  ...repeatedLimits(rateLimits),
  ...unknownRoutes(rateLimits, routes),
]);

/** A complete configuration: every key present, every rule kept. */
export type Config = z.output<typeof configSchema>;
/** A configuration as it is written: every key may be left out. */
export type ConfigInput = z.input<typeof configSchema>;
export type ListenConfig = Config['listen'];
export type PoolConfig = Config['pools'][string];
export type RouteConfig = Config['routes'][number];
export type RateLimitConfig = Config['rateLimits'][number];
