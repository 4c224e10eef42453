import { describe, expect, it } from 'vitest';
import { GatewayMetrics } from './gateway-metrics.ts';
import type { ProcessFigures } from './process-families.ts';
import { aPoolSnapshot } from './pool-snapshot.fixture.ts';
import type { PoolSnapshot } from './pool-snapshot.ts';
import { createRegistry } from './prometheus.ts';
import type { RateLimitFigures } from './ratelimit-families.ts';

const createPool = (changes: Partial<PoolSnapshot> = {}): PoolSnapshot =>
  aPoolSnapshot({ endpoints: [{ upstream: 'ws://a:1/', breaker: 2, ejected: true }], ...changes });

function createMetrics(): GatewayMetrics {
  return new GatewayMetrics({ errorTypes: ['protocol', 'too-big'], rejectReasons: ['origin'] });
}

const totals = { encodedPlain: 4, encodedPacked: 3, decodedPacked: 2, decodedPlain: 1 };
const codecs = () => [['zstd', totals] as const];
const limits = (): RateLimitFigures => ({
  decisions: [['ip', 'rejected', 3]],
  keys: [['ip', 2]],
  sharedUp: true,
});

const processFigures = (): ProcessFigures => ({
  version: '1.2.3',
  maxConnections: 16_000,
  memoryLimitBytes: 1_000,
  heapLimitBytes: 500,
  workers: [{ worker: '0', connections: 3, busySeconds: 1.5 }],
});

async function scrape(metrics: GatewayMetrics, pools: readonly PoolSnapshot[]): Promise<string[]> {
  return (
    await createRegistry({
      metrics,
      pools: () => pools,
      codecs,
      limits,
      process: processFigures,
      processMetrics: false,
    }).metrics()
  ).split('\n');
}

describe('createRegistry', () => {
  it('publishes every closed label value at 0 from the start', async () => {
    const lines = await scrape(createMetrics(), [createPool()]);
    expect(lines).toEqual(
      expect.arrayContaining([
        'websocket_connections_total 0',
        'websocket_messages_sent_total 0',
        'websocket_messages_received_total 0',
        'websocket_bytes_sent_total 0',
        'websocket_bytes_received_total 0',
        'websocket_latency_seconds_count 0',
        'websocket_errors_total{type="protocol"} 0',
        'websocket_errors_total{type="too-big"} 0',
        'websocket_rejected_total{reason="origin"} 0',
        'wsluice_heartbeat_rtt_seconds_count 0',
        'wsluice_event_loop_lag_seconds_count 0',
        ...['dialing', 'idle', 'busy', 'draining'].map(
          (state) => `wsluice_pool_connections{pool="main",state="${state}"} 0`,
        ),
        'wsluice_codec_bytes_total{codec="zstd",direction="encode",stage="plain"} 4',
        'wsluice_codec_bytes_total{codec="zstd",direction="encode",stage="packed"} 3',
        'wsluice_codec_bytes_total{codec="zstd",direction="decode",stage="packed"} 2',
        'wsluice_codec_bytes_total{codec="zstd",direction="decode",stage="plain"} 1',
        'wsluice_breaker_state{pool="main",upstream="ws://a:1/"} 2',
        'wsluice_upstream_ejected{pool="main",upstream="ws://a:1/"} 1',
        'wsluice_pool_in_flight{pool="main"} 0',
        'wsluice_pool_waiting{pool="main"} 0',
        'wsluice_subscriptions{pool="main",side="client"} 0',
        'wsluice_subscriptions{pool="main",side="upstream"} 0',
        'wsluice_coalesced_total{pool="main"} 0',
        'wsluice_upstream_latency_seconds_count{pool="main"} 0',
        'wsluice_requests_accepted_total{pool="main"} 0',
        ...['replied', 'errored', 'abandoned'].map(
          (end) => `wsluice_requests_ended_total{pool="main",end="${end}"} 0`,
        ),
        ...['unknown-id', 'unowned', 'malformed'].map(
          (reason) => `wsluice_upstream_dropped_total{pool="main",reason="${reason}"} 0`,
        ),
        'wsluice_upstream_lost_total{pool="main"} 0',
        'wsluice_slow_requests_total{pool="main"} 0',
        'wsluice_request_retries_total{pool="main"} 0',
        'wsluice_pool_max_connections{pool="main"} 10',
        'wsluice_pool_used_ratio{pool="main"} 0',
        'wsluice_pool_paused{pool="main"} 0',
        'wsluice_pool_healthy{pool="main"} 1',
        'wsluice_connections_max 16000',
        'wsluice_memory_limit_bytes 1000',
        'wsluice_heap_limit_bytes 500',
        'wsluice_worker_connections{worker="0"} 3',
        'wsluice_worker_busy_seconds_total{worker="0"} 1.5',
        `wsluice_build_info{version="1.2.3",node="${process.version}"} 1`,
      ]),
    );
  });

  it('publishes each figure under its own name', async () => {
    const metrics = createMetrics();
    metrics.connectionOpened();
    metrics.received(100);
    metrics.sent(20);
    metrics.sent(22);
    metrics.error(1);
    metrics.rejected(0);
    const pool = createPool({
      connections: { dialing: 1, idle: 2, busy: 3, draining: 4 },
      inFlight: 5,
      waiting: 6,
      subscriptions: { client: 20, upstream: 21 },
      coalesced: 22,
      accepted: 30,
      replied: 7,
      errored: 8,
      abandoned: 9,
      droppedUnknownId: 10,
      droppedUnowned: 11,
      droppedMalformed: 12,
      upstreamsLost: 13,
      retries: 14,
      slow: 23,
      usedRatio: 0.5,
      paused: true,
      healthy: false,
    });
    const lines = await scrape(metrics, [pool]);
    expect(lines).toEqual(
      expect.arrayContaining([
        'websocket_connections_total 1',
        'websocket_messages_received_total 1',
        'websocket_bytes_received_total 100',
        'websocket_messages_sent_total 2',
        'websocket_bytes_sent_total 42',
        'websocket_errors_total{type="too-big"} 1',
        'websocket_rejected_total{reason="origin"} 1',
        'wsluice_pool_connections{pool="main",state="dialing"} 1',
        'wsluice_pool_connections{pool="main",state="idle"} 2',
        'wsluice_pool_connections{pool="main",state="busy"} 3',
        'wsluice_pool_connections{pool="main",state="draining"} 4',
        'wsluice_pool_in_flight{pool="main"} 5',
        'wsluice_pool_waiting{pool="main"} 6',
        'wsluice_subscriptions{pool="main",side="client"} 20',
        'wsluice_subscriptions{pool="main",side="upstream"} 21',
        'wsluice_coalesced_total{pool="main"} 22',
        'wsluice_requests_accepted_total{pool="main"} 30',
        'wsluice_requests_ended_total{pool="main",end="replied"} 7',
        'wsluice_requests_ended_total{pool="main",end="errored"} 8',
        'wsluice_requests_ended_total{pool="main",end="abandoned"} 9',
        'wsluice_upstream_dropped_total{pool="main",reason="unknown-id"} 10',
        'wsluice_upstream_dropped_total{pool="main",reason="unowned"} 11',
        'wsluice_upstream_dropped_total{pool="main",reason="malformed"} 12',
        'wsluice_upstream_lost_total{pool="main"} 13',
        'wsluice_slow_requests_total{pool="main"} 23',
        'wsluice_request_retries_total{pool="main"} 14',
        'wsluice_pool_used_ratio{pool="main"} 0.5',
        'wsluice_pool_paused{pool="main"} 1',
        'wsluice_pool_healthy{pool="main"} 0',
        'wsluice_ratelimit_decisions_total{scope="ip",decision="rejected"} 3',
        'wsluice_ratelimit_keys{scope="ip"} 2',
        'wsluice_ratelimit_shared_up 1',
      ]),
    );
  });

  it('publishes histograms with cumulative buckets per label set', async () => {
    const metrics = createMetrics();
    for (const seconds of [0.00005, 0.003, 0.003, 60]) metrics.latency.observe(seconds);
    const lines = await scrape(metrics, [createPool({ name: 'a' }), createPool({ name: 'b' })]);
    const buckets = lines.filter((line) => line.startsWith('websocket_latency_seconds_bucket'));
    expect(buckets.map((line) => line.split(' ')[1]).join('')).toBe('11111333333333334');
    expect(buckets[0]).toBe('websocket_latency_seconds_bucket{le="0.0001"} 1');
    expect(buckets.at(-1)).toBe('websocket_latency_seconds_bucket{le="+Inf"} 4');
    expect(lines).toContain('websocket_latency_seconds_count 4');
    expect(lines).toContain('wsluice_upstream_latency_seconds_bucket{pool="b",le="+Inf"} 0');
  });

  it('reads anew at every scrape and forgets a pool that is gone', async () => {
    const metrics = createMetrics();
    let pools = [createPool({ name: 'old', accepted: 1 })];
    const registry = createRegistry({
      metrics,
      pools: () => pools,
      codecs,
      limits,
      process: processFigures,
      processMetrics: false,
    });
    expect(await registry.metrics()).toContain('pool="old"');
    pools = [createPool({ name: 'new', accepted: 2 })];
    metrics.connectionOpened();
    const second = await registry.metrics();
    expect(second).toContain('websocket_connections_total 1');
    expect(second).toContain('wsluice_requests_accepted_total{pool="new"} 2');
    expect(second).not.toContain('pool="old"');
  });

  it('takes process metrics along unless told not to', async () => {
    const options = { metrics: createMetrics(), pools: () => [], codecs, limits, process: processFigures };
    expect(await createRegistry(options).metrics()).toContain('process_cpu_seconds_total');
    expect(await createRegistry({ ...options, processMetrics: false }).metrics()).not.toContain('process_');
  });
});
