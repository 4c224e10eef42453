import { z } from 'zod';
import type { ClientsPage } from '../admin/clients-control.ts';
import type { HealthReport } from '../admin/health-control.ts';
import type { PerformanceReport } from '../admin/performance-report.ts';
import type { LiveHistorySample, LiveSample } from '../live/live-sample.ts';

// What of the gateway's answers is shown, checked: whatever listens there may answer anything.

const number = z.number();
const second = z.object({
  at: number,
  spanMs: number,
  draining: z.boolean(),
  connections: z.object({ open: number, max: number }),
  perSecond: z.object({
    received: number,
    sent: number,
    bytesReceived: number,
    bytesSent: number,
    replies: number,
    errors: number,
    rejected: number,
  }),
  latencyMs: z.object({ p50: number, p95: number, p99: number }).nullable(),
  refusedPerSecond: z.record(z.string(), number),
  codecs: z.record(z.string(), z.object({ plainBytes: number, packedBytes: number })),
  process: z.object({
    cpuCores: number,
    rssBytes: number,
    heapUsedBytes: number,
    heapTotalBytes: number,
    heapLimitBytes: number,
    memoryLimitBytes: number,
    eventLoopLagMs: number,
    eventLoopUtilization: number,
  }),
});

const upstream = z.object({
  upstream: z.string(),
  connections: number,
  inFlight: number,
  breaker: z.string(),
  state: z.string(),
  stateAgeMs: number,
  lastFailure: z.object({ kind: z.string(), detail: z.string(), agoMs: number }).nullable(),
});

const pool = z.object({
  name: z.string(),
  mode: z.string(),
  embedded: z.boolean(),
  paused: z.boolean(),
  healthy: z.boolean(),
  clients: number,
  maxConnections: number,
  connections: z.object({ dialing: number, idle: number, busy: number, draining: number }),
  inFlight: number,
  waiting: number,
  totals: z.object({ accepted: number, errored: number }),
  upstreams: z.array(upstream).readonly(),
});

const client = z.object({
  id: number,
  address: z.string(),
  pool: z.string(),
  connectedAt: z.string(),
  messages: z.object({ received: number, sent: number }),
  bytes: z.object({ received: number, sent: number }),
  inFlight: number,
});

const sample = second.extend({ pools: z.array(pool).readonly() });
const history = z.array(second);
const clients = z.object({ total: number, clients: z.array(client).readonly() });
const health = z.object({
  status: z.string(),
  problems: z.array(z.string()).readonly(),
  version: z.string(),
  uptimeSeconds: number,
});

const performance = z.object({
  performance: z.object({
    totalRequests: number,
    averageResponseTime: number,
    p99: number,
    slowRequests: number,
    errorRate: number,
  }),
});

/** A second, as far as it is shown. */
export type ShownSecond = z.infer<typeof second>;
export type ShownSample = z.infer<typeof sample>;
export type ShownPool = z.infer<typeof pool>;
export type ShownUpstream = z.infer<typeof upstream>;
export type ShownClient = z.infer<typeof client>;
export type ShownClients = z.infer<typeof clients>;
export type ShownHealth = z.infer<typeof health>;
export type ShownTotals = z.infer<typeof performance>['performance'];

/** Each gives undefined for what is something else. */
export const parseHistory = (value: unknown): ShownSecond[] | undefined => history.safeParse(value).data;
export const parseSample = (value: unknown): ShownSample | undefined => sample.safeParse(value).data;
export const parseClients = (value: unknown): ShownClients | undefined => clients.safeParse(value).data;
export const parseHealth = (value: unknown): ShownHealth | undefined => health.safeParse(value).data;

export const parseTotals = (value: unknown): ShownTotals | undefined =>
  performance.safeParse(value).data?.performance;

type Shows<Shown, Sent extends Shown> = Sent;

/** What the gateway sends has all that is shown: a compile error here says that the two have come apart. */
export type Agreement = [
  Shows<ShownSecond, LiveHistorySample>,
  Shows<ShownSample, LiveSample>,
  Shows<ShownClients, ClientsPage>,
  Shows<ShownHealth, HealthReport>,
  Shows<ShownTotals, PerformanceReport['performance']>,
];
