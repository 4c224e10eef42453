import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { Histogram } from '../metrics/histogram.ts';
import { createRegistry } from '../metrics/prometheus.ts';

async function scrape(format: 'text' | 'openmetrics', sharedUp?: boolean): Promise<string> {
  const metrics = new GatewayMetrics({
    errorTypes: ['protocol', 'too-big'],
    rejectReasons: ['origin', 'capacity'],
  });
  metrics.received(10);
  metrics.latency.observe(0.003);
  const pool = {
    name: 'odd "name"\\',
    connections: { dialing: 0, idle: 1, busy: 2, draining: 0 },
    inFlight: 2,
    waiting: 0,
    subscriptions: { client: 0, upstream: 0 },
    coalesced: 0,
    accepted: 3,
    replied: 1,
    errored: 0,
    abandoned: 0,
    droppedUnknownId: 0,
    droppedUnowned: 0,
    droppedMalformed: 0,
    upstreamsLost: 0,
    retries: 0,
    slow: 0,
    upstreamLatency: new Histogram(),
    maxConnections: 4,
    usedRatio: 0.5,
    paused: false,
    healthy: true,
    endpoints: [{ upstream: 'ws://a:1/ #2', breaker: 1, ejected: false }],
  };
  const totals = { encodedPlain: 1, encodedPacked: 1, decodedPacked: 1, decodedPlain: 1 };
  const codecs = () => [['zstd', totals] as const];
  const limits = () => ({ decisions: [['ip', 'allowed', 1] as const], keys: [], sharedUp });
  const process = () => ({
    ...{ version: '1', maxConnections: 1, memoryLimitBytes: 1, heapLimitBytes: 1 },
    workers: [{ worker: '0', connections: 1, busySeconds: 1 }],
  });
  return createRegistry({ metrics, pools: () => [pool], codecs, limits, process, format }).metrics();
}

it.each([true, undefined])(
  "satisfies promtool's checks of the text format, but for the gauge that is named as a total (Redis up: %s)",
  async (sharedUp) => {
    const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], {
      input: await scrape('text', sharedUp),
      encoding: 'utf8',
    });
    const complaints = `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
    expect(complaints).toEqual([
      'websocket_connections_total non-counter metrics should not have "_total" suffix',
    ]);
  },
);

it("is read by Prometheus's own parser as OpenMetrics", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'wsluice-metrics-'));
  const file = join(folder, 'scrape.om');
  // The one promtool command that parses OpenMetrics wants a time on every sample.
  writeFileSync(file, (await scrape('openmetrics')).replaceAll(/^[^#].*$/gm, '$& 1700000000'));
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', file, join(folder, 'blocks')];
  const { status, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  rmSync(folder, { recursive: true });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
});
