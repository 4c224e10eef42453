import { z } from 'zod';
import { codecName } from './codec-schema.ts';
import {
  bytes,
  checkedText,
  distinct,
  filePath,
  filledText,
  MIB,
  milliseconds,
  oneOf,
  share,
  whole,
  withOrder,
} from './scalars.ts';
import { subscriptions } from './subscriptions-schema.ts';
import { ECHO, upstreamUrlProblem } from './upstream-url.ts';

const upstreamUrl = checkedText('a ws://, wss:// or ws+unix: URL or echo:', upstreamUrlProblem);

/** How many entries `upstreams` may have. */
export const maxUpstreams = 10_000;

const upstreams = z
  .array(upstreamUrl)
  .min(1)
  .max(maxUpstreams)
  .superRefine((urls, context) => {
    const index = urls.indexOf(ECHO);
    if (index === -1 || urls.length === 1) return;
    const message = 'is the embedded backend, which must stand alone';
    context.addIssue({ code: 'custom', path: [index], message });
  });

/** Headers that belong to one hop or to the handshake, and would break the next one. */
const ownHeaders = new Set([
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const headerName = checkedText('a header name in lower case', (name) => {
  if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(name)) return 'is not a header name in lower case';
  if (name.startsWith('sec-websocket-')) return 'is part of the handshake, which has one with each side';
  return ownHeaders.has(name) ? 'belongs to one hop and cannot be passed on' : undefined;
});

const methodName = filledText('a method name');

/** The classes of pool/waiting/priority.ts; route-schema.ts has them too. */
export const priorityName = oneOf(['high', 'medium', 'low']);

const weight = whole(1, 1_000);

function priorityClass(by: number) {
  const bounded = z.strictObject({
    weight: weight.default(by).meta({ description: 'Share of the free room that the class gets.' }),
    maxSize: whole(0, 10_000_000)
      .nullable()
      .default(null)
      .meta({ description: 'Requests of the class that may wait; null = as many as may wait in all.' }),
  });
  return z.union([weight, bounded]).default(by);
}

const priority = z.strictObject({
  high: priorityClass(3).meta({
    description: 'Weight of the most urgent class, or a mapping for a bound of its own.',
  }),
  medium: priorityClass(2).meta({
    description: 'The same for the class of requests that nothing is said of.',
  }),
  low: priorityClass(1).meta({ description: 'The same for the least urgent class.' }),
});

const queue = z.strictObject({
  maxSize: whole(0, 10_000_000)
    .default(1_000)
    .meta({ description: 'Requests that may wait for a connection.' }),
  maxBytes: bytes(0)
    .default(16 * MIB)
    .meta({ description: 'Bytes that may wait for a connection.' }),
  maxBytesPerClient: bytes(0)
    .default(4 * MIB)
    .meta({ description: 'Bytes of one client that may wait for a connection.' }),
  timeoutMs: milliseconds(1).default(5_000).meta({ description: 'Milliseconds that one may wait.' }),
  priority: priority
    .prefault({})
    .meta({ description: 'How free room is shared out among the classes that wait.' }),
});

const breaker = z.strictObject({
  failureThreshold: whole(1, 1_000_000)
    .default(5)
    .meta({ description: 'Failures in a row that open the breaker.' }),
  successThreshold: whole(1, 1_000_000)
    .default(3)
    .meta({ description: 'Successful probes that close it again.' }),
  resetTimeoutMs: milliseconds(1)
    .default(30_000)
    .meta({ description: 'Milliseconds before the first probe.' }),
});

const outlier = withOrder(
  z.strictObject({
    consecutiveFailures: whole(0, 1_000_000).default(5).meta({
      description: 'Failures in a row that eject an upstream while another does better; 0 = never.',
    }),
    baseEjectionMs: milliseconds(1)
      .default(30_000)
      .meta({ description: 'Milliseconds of the first ejection; each that follows takes twice as long.' }),
    maxEjectionMs: milliseconds(1)
      .default(300_000)
      .meta({ description: 'Most milliseconds of an ejection.' }),
    maxEjectedShare: z
      .number()
      .min(0)
      .max(0.5)
      .default(0.5)
      .meta({ description: 'Most upstreams ejected at a time, as a share of all.' }),
    errorCodes: distinct(z.int(), 100)
      .default([-32603])
      .meta({ description: 'JSON-RPC errors that count as failures of the upstream (request mode).' }),
    slowStartMs: milliseconds(1).default(10_000).meta({
      description: 'Milliseconds in which an upstream that is back, or was added, gets its full load.',
    }),
  }),
  'baseEjectionMs',
  'maxEjectionMs',
);

const healthCheck = z.strictObject({
  method: methodName.nullable().default(null).meta({
    description: 'JSON-RPC method called to see whether an upstream is well (request mode); null = a ping.',
  }),
  params: z
    .union([z.array(z.json()), z.record(z.string(), z.json())])
    .nullable()
    .default(null)
    .meta({ description: 'Its params; null = none.' }),
  timeoutMs: milliseconds(1).default(5_000).meta({ description: 'Milliseconds that the answer may take.' }),
});

const retry = z.strictObject({
  maxRetries: whole(0, 10).default(1).meta({ description: 'Attempts after the first one.' }),
  idempotentMethods: distinct(methodName, 10_000).default([]).meta({
    description: 'Methods that may be sent again when their connection was lost after they were written.',
  }),
  budgetRatio: z
    .number()
    .min(0)
    .max(1)
    .default(0.1)
    .meta({ description: 'Most retries, as a share of all requests.' }),
  backoffMs: milliseconds(0, 60_000).default(100).meta({
    description:
      'Most milliseconds before the first retry, a random part of it; each further one may take twice as long. 0 = at once.',
  }),
});

const reconnect = withOrder(
  z.strictObject({
    baseDelayMs: milliseconds(1)
      .default(1_000)
      .meta({ description: 'Milliseconds before the first redial.' }),
    maxDelayMs: milliseconds(1).default(10_000).meta({ description: 'Most milliseconds between two dials.' }),
    factor: z
      .number()
      .min(1)
      .max(100)
      .default(2)
      .meta({ description: 'How much the delay grows with each failure.' }),
    jitter: z
      .boolean()
      .default(true)
      .meta({ description: 'Take a random part of the delay, so that dials spread.' }),
  }),
  'baseDelayMs',
  'maxDelayMs',
);

const tls = z.strictObject({
  ca: filePath
    .nullable()
    .default(null)
    .meta({ description: 'Certificates to trust instead of the system’s, in PEM (file).' }),
  rejectUnauthorized: z
    .boolean()
    .default(true)
    .meta({ description: 'Refuse upstreams whose certificate cannot be verified.' }),
});

const pool = z.strictObject({
  mode: oneOf(['session', 'request', 'mux']).default('session').meta({
    description:
      'session: an upstream connection for each client; request: JSON-RPC 2.0 over shared ones; mux: any protocol over shared ones, to backends that speak wsluice.mux.v1.',
  }),
  upstreams: upstreams.default([ECHO]).meta({ description: 'URLs of the backends; echo: is embedded.' }),
  codec: codecName.nullable().default(null).meta({
    description: 'Codec spoken to upstreams that negotiate it; null = none.',
  }),
  balance: oneOf(['random', 'round-robin', 'least-connections', 'peak-ewma'])
    .default('least-connections')
    .meta({ description: 'How an upstream is chosen.' }),
  minConnections: whole(0, 1_000_000)
    .default(0)
    .meta({ description: 'Upstream connections kept open and ready; at most maxConnections.' }),
  maxConnections: whole(1, 1_000_000)
    .default(1_000)
    .meta({ description: 'Most upstream connections of the pool.' }),
  maxInFlightPerConnection: whole(1, 1_000_000)
    .default(128)
    .meta({ description: 'Unanswered requests on one upstream connection (request mode).' }),
  maxInFlightPerClient: whole(1, 1_000_000)
    .default(1_000)
    .meta({ description: 'Unanswered requests of one client, waiting ones included (request mode).' }),
  maxStreamsPerConnection: whole(1, 1_000_000)
    .default(4_096)
    .meta({ description: 'Clients on one upstream connection (mux mode).' }),
  maxBatchSize: whole(1, 100_000)
    .default(100)
    .meta({ description: 'Requests in one JSON-RPC batch (request mode).' }),
  maxMessageBytes: bytes(1, 256 * MIB)
    .default(16 * MIB)
    .meta({ description: 'Largest message of an upstream, in bytes.' }),
  maxFragments: whole(1, 1_000_000)
    .default(1_024)
    .meta({ description: 'Fragments in one message of an upstream.' }),
  statefulMethods: distinct(methodName, 10_000).default([]).meta({
    description:
      'Methods that tie state to a connection; refused with an error that names session mode (request mode).',
  }),
  subscriptions,
  coalesceMethods: distinct(methodName, 10_000).default([]).meta({
    description:
      'Methods whose identical calls in flight share one call upstream, and its answer: only such as read (request mode).',
  }),
  maxCoalesced: whole(1, 10_000_000).default(1_000).meta({
    description: 'Calls that may wait for the answer to another’s at a time; more go by themselves.',
  }),
  forwardHeaders: distinct(headerName, 100)
    .default([
      ...['authorization', 'cookie', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'],
      ...['x-request-id', 'traceparent', 'tracestate'],
    ])
    .meta({
      description:
        'Request headers of the client that are passed on (session and mux mode); who sends one gets no warm connection in session mode.',
    }),
  forwardQuery: z.boolean().default(true).meta({
    description:
      'Append the client’s query string to the upstream’s URL, or to the path that it is told in mux mode.',
  }),
  trusted: z
    .boolean()
    .default(false)
    .meta({ description: 'Send frames with a zero mask key; upstreams on this machine are trusted anyway.' }),
  tls: tls.prefault({}).meta({ description: 'How wss:// upstreams are verified.' }),
  connectTimeoutMs: milliseconds(1)
    .default(5_000)
    .meta({ description: 'Milliseconds that a dial may take, handshake included.' }),
  requestTimeoutMs: milliseconds(1)
    .default(30_000)
    .meta({ description: 'Milliseconds until an unanswered request gets an error (request mode).' }),
  healthCheckIntervalMs: milliseconds(0)
    .default(10_000)
    .meta({ description: 'Milliseconds between two health checks of an upstream; 0 = none.' }),
  scaleUpThreshold: share
    .default(0.7)
    .meta({ description: 'Share of in-flight capacity in use above which connections are added.' }),
  scaleDownThreshold: z
    .number()
    .min(0)
    .max(1)
    .default(0.3)
    .meta({ description: 'Share of in-flight capacity in use below which connections are closed.' }),
  scaleIntervalMs: milliseconds(100)
    .default(5_000)
    .meta({ description: 'Milliseconds between two decisions on how many connections there should be.' }),
  maxLifetimeMs: milliseconds(0, 30 * 24 * 3_600_000)
    .default(3_600_000)
    .meta({
      description: 'Milliseconds after which a shared connection is replaced at the latest; 0 = never.',
    }),
  queue: queue.prefault({}).meta({ description: 'What waits for a free upstream connection.' }),
  methodPriority: z
    .record(methodName, priorityName)
    .refine((methods) => Object.keys(methods).length <= 10_000, 'has more than 10000 entries')
    .default({})
    .meta({
      allowed: 'a mapping from method names to high, medium or low',
      description: 'Class that requests of a method wait in (request mode).',
    }),
  breaker: breaker.prefault({}).meta({ description: 'When a failing upstream is left alone.' }),
  outlier: outlier
    .prefault({})
    .meta({ description: 'When an upstream that does worse than others gets no clients.' }),
  healthCheck: healthCheck.prefault({}).meta({ description: 'How upstreams are checked.' }),
  retry: retry.prefault({}).meta({ description: 'What is sent again.' }),
  reconnect: reconnect.prefault({}).meta({ description: 'How a lost upstream is dialled again.' }),
});

export const poolSchema = withOrder(
  withOrder(pool, 'minConnections', 'maxConnections'),
  'scaleDownThreshold',
  'scaleUpThreshold',
);
