import { describe, expect, it } from 'vitest';
import { GatewayMetrics } from '../../metrics/gateway-metrics.ts';
import { aPoolSnapshot } from '../../metrics/pool-snapshot.fixture.ts';
import type { PoolSnapshot } from '../../metrics/pool-snapshot.ts';
import { errorTypes, rejectReasons } from '../close-codes.ts';
import { ask, openAdmin } from './admin.fixture.ts';
import { reportOf } from './performance-api.ts';

const aPool = (changes: Partial<PoolSnapshot> = {}): PoolSnapshot =>
  aPoolSnapshot({
    connections: { dialing: 1, idle: 2, busy: 3, draining: 4 },
    inFlight: 5,
    waiting: 6,
    ...changes,
  });

function report(metrics: GatewayMetrics, pools: readonly PoolSnapshot[]): ReturnType<typeof reportOf> {
  return reportOf({
    metrics,
    pools: () => pools,
    live: { latest: undefined },
    process: () => ({ maxConnections: 16_000, memoryLimitBytes: 512 * 1_048_576 }),
    uptimeSeconds: () => 12.34567,
  });
}

const newMetrics = () => new GatewayMetrics({ errorTypes, rejectReasons });

describe('/api/admin/performance', () => {
  it('has 0 for what was never measured', () => {
    const { performance, pools } = report(newMetrics(), [aPool()]);
    const none = { averageResponseTime: 0, p50: 0, p95: 0, p99: 0 };
    expect(performance).toEqual({
      ...none,
      totalRequests: 0,
      slowRequests: 0,
      errors: 0,
      errorRate: 0,
      requestsPerSecond: 0,
    });
    expect(pools[0]!.upstream).toEqual(none);
  });

  it('counts requests of all pools, answered or not, and every message where they are not looked into', () => {
    const metrics = newMetrics();
    // 4 answers in request mode, 6 in session mode, where some had none of their own.
    for (let ms = 10; ms <= 100; ms += 10) metrics.latency.observe(ms / 1_000);
    const pools = [
      aPool({ accepted: 5, replied: 4, errored: 1, slow: 2 }),
      aPool({ name: 'session', passedOn: 8, slow: 1 }),
    ];
    const { performance } = report(metrics, pools);
    expect(performance).toMatchObject({
      totalRequests: 13,
      averageResponseTime: 55,
      slowRequests: 3,
      errors: 1,
      errorRate: 1 / 13,
    });
    expect(performance.p50 / 50).toBeCloseTo(1, 1);
    expect(performance.p99 / 100).toBeCloseTo(1, 1);
  });

  it('adds up the connections of all pools, and has memory in megabytes', () => {
    const { pool, memory, uptimeSeconds, clients } = report(newMetrics(), [aPool(), aPool({ name: 'b' })]);
    expect(pool).toEqual({
      totalConnections: 18,
      activeConnections: 6,
      idleConnections: 4,
      dialingConnections: 2,
      maxConnections: 20,
      inFlight: 10,
      waiting: 12,
    });
    expect(memory.limit).toBe(512);
    expect(memory.heapUsed).toBeGreaterThan(1);
    expect(memory.rss).toBeGreaterThan(memory.heapUsed);
    expect([uptimeSeconds, clients.max]).toEqual([12.346, 16_000]);
  });

  it('is answered as JSON, to who has the token', async () => {
    const { port } = await openAdmin({ pools: () => [aPool()], token: 'secret' });
    expect((await ask(port, '/api/admin/performance')).status).toBe(401);
    const { status, body } = await ask(port, '/api/admin/performance', { authorization: 'Bearer secret' });
    expect([status, JSON.parse(body)]).toMatchObject([200, { performance: { totalRequests: 0 } }]);
  });
});
