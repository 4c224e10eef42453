import type { GatewayMetrics } from '../../metrics/gateway-metrics.ts';
import type { HistogramView } from '../../metrics/histogram.ts';
import type { ProcessFigures } from '../../metrics/process-families.ts';
import type { PoolSnapshot } from '../../metrics/pool-snapshot.ts';
import { answerJson } from './http.ts';
import type { LiveControl } from './live-control.ts';
import type { PerformanceReport, PoolPerformance } from './performance-report.ts';
import type { Endpoint } from './routes.ts';

export interface PerformanceSources {
  readonly metrics: GatewayMetrics;
  readonly pools: () => readonly PoolSnapshot[];
  readonly live: Pick<LiveControl, 'latest'>;
  readonly process: () => Pick<ProcessFigures, 'maxConnections' | 'memoryLimitBytes'>;
  readonly uptimeSeconds: () => number;
}

/** `/api/admin/performance`: totals since the start in one page, for who has no Prometheus. */
export function performanceEndpoint(sources: PerformanceSources): Record<string, Endpoint> {
  return {
    '/api/admin/performance': { GET: (_, response) => answerJson(response, 200, reportOf(sources)) },
  };
}

/** What /api/admin/performance answers. */
export function reportOf(sources: PerformanceSources): PerformanceReport {
  const { metrics, live, uptimeSeconds } = sources;
  const { maxConnections, memoryLimitBytes } = sources.process();
  const pools = sources.pools();
  const sum = (figure: (pool: PoolSnapshot) => number): number =>
    pools.reduce((total, pool) => total + figure(pool), 0);
  const totalRequests = sum(({ accepted, passedOn }) => accepted + passedOn);
  const errors = sum(({ errored }) => errored);
  const { heapUsed, heapTotal, external, rss } = process.memoryUsage();
  return {
    performance: {
      totalRequests,
      ...timesOf(metrics.latency),
      slowRequests: sum(({ slow }) => slow),
      errors,
      errorRate: totalRequests > 0 ? errors / totalRequests : 0,
      requestsPerSecond: rounded(live.latest?.perSecond.replies ?? 0),
    },
    pool: {
      totalConnections: sum(openIn),
      activeConnections: sum(({ connections }) => connections.busy),
      idleConnections: sum(({ connections }) => connections.idle),
      dialingConnections: sum(({ connections }) => connections.dialing),
      maxConnections: sum((pool) => pool.maxConnections),
      inFlight: sum(({ inFlight }) => inFlight),
      waiting: sum(({ waiting }) => waiting),
    },
    clients: {
      open: metrics.connectionsOpen,
      max: maxConnections,
      messagesReceived: metrics.messagesReceived,
      messagesSent: metrics.messagesSent,
      errors: Object.fromEntries(metrics.errorCounts().map(({ label, count }) => [label, count])),
    },
    memory: {
      heapUsed: megabytes(heapUsed),
      heapTotal: megabytes(heapTotal),
      external: megabytes(external),
      rss: megabytes(rss),
      limit: megabytes(memoryLimitBytes),
    },
    uptimeSeconds: rounded(uptimeSeconds()),
    pools: pools.map(poolRow),
  };
}

function poolRow(pool: PoolSnapshot): PoolPerformance {
  const { name, accepted, replied, errored, abandoned, slow, inFlight, waiting, usedRatio } = pool;
  return {
    name,
    ...{ accepted, replied, errored, abandoned, slow, inFlight, waiting, usedRatio },
    upstream: timesOf(pool.upstreamLatency),
    totalConnections: openIn(pool),
    activeConnections: pool.connections.busy,
    maxConnections: pool.maxConnections,
  };
}

function openIn({ connections: { idle, busy, draining } }: PoolSnapshot): number {
  return idle + busy + draining;
}

/** In milliseconds; 0 where nothing was measured, for a figure that is absent would be one case more for each reader. */
function timesOf(times: HistogramView): PoolPerformance['upstream'] {
  const ms = (seconds: number): number => (times.count > 0 ? rounded(seconds * 1_000) : 0);
  return {
    averageResponseTime: ms(times.sum / times.count),
    p50: ms(times.quantile(0.5)),
    p95: ms(times.quantile(0.95)),
    p99: ms(times.quantile(0.99)),
  };
}

function rounded(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}

function megabytes(bytes: number): number {
  return Math.round((bytes / 1_048_576) * 10) / 10;
}
