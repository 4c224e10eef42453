import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { aPoolSnapshot } from '../metrics/pool-snapshot.fixture.ts';
import { createRegistry } from '../metrics/prometheus.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, type Gateway } from './support/gateway.ts';
import { MetricsPage } from './support/metrics-page.ts';
import { startWellGateway } from './support/observed-gateway.ts';
import { tempDir } from './support/temp-dir.ts';

/** What a gateway would publish whose names are as odd as can be. */
async function oddPage(format: 'text' | 'openmetrics', sharedUp?: boolean): Promise<string> {
  const metrics = new GatewayMetrics({
    errorTypes: ['protocol', 'too-big'],
    rejectReasons: ['origin', 'capacity'],
  });
  metrics.received(10);
  metrics.latency.observe(0.003);
  const pool = aPoolSnapshot({
    name: 'odd "name"\\',
    connections: { dialing: 0, idle: 1, busy: 2, draining: 0 },
    inFlight: 2,
    accepted: 3,
    replied: 1,
    maxConnections: 4,
    usedRatio: 0.5,
    endpoints: [{ upstream: 'ws://a:1/ #2', breaker: 1, ejected: false }],
  });
  const totals = { encodedPlain: 1, encodedPacked: 1, decodedPacked: 1, decodedPlain: 1 };
  const codecs = () => [['zstd', totals] as const];
  const limits = () => ({ decisions: [['ip', 'allowed', 1] as const], keys: [], sharedUp });
  const process = () => ({
    ...{ version: '1', maxConnections: 1, memoryLimitBytes: 1, heapLimitBytes: 1 },
    workers: [{ worker: '0', connections: 1, busySeconds: 1 }],
  });
  return createRegistry({ metrics, pools: () => [pool], codecs, limits, process, format }).metrics();
}

/** What promtool has to say of a page in the text format. */
function complaints(page: string): string[] {
  const { stdout, stderr } = spawnSync('promtool', ['check', 'metrics'], { input: page, encoding: 'utf8' });
  return `${stdout}${stderr}`.split('\n').filter((line) => line !== '');
}

/** The one thing that is not as promtool wants it: the name was there first. */
const theName = ['websocket_connections_total non-counter metrics should not have "_total" suffix'];

/** What Prometheus's own parser has to say of a page of OpenMetrics. */
function parserFaults(page: string): { status: number | null; stderr: string } {
  const folder = tempDir();
  const file = join(folder, 'scrape.om');
  // The one promtool command that parses OpenMetrics wants a time on every sample.
  writeFileSync(file, page.replaceAll(/^[^#].*$/gm, '$& 1700000000'));
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', file, join(folder, 'blocks')];
  const { status, stderr } = spawnSync('promtool', args, { encoding: 'utf8' });
  return { status, stderr };
}

describe('a page with odd names', () => {
  it.each([true, undefined])('is as promtool wants it (Redis up: %s)', async (sharedUp) => {
    expect(complaints(await oddPage('text', sharedUp))).toEqual(theName);
  });

  it("is read by Prometheus's own parser as OpenMetrics", async () => {
    expect(parserFaults(await oddPage('openmetrics'))).toEqual({ status: 0, stderr: '' });
  });
});

describe('a gateway under load', () => {
  let gateway: Gateway;
  let page: MetricsPage;

  beforeAll(async () => {
    // Nothing answers there, which publishes a figure more than no Redis at all.
    gateway = await startWellGateway({ redisUrl: 'redis://127.0.0.1:1', token: null });
    page = await eventually(async () => {
      const now = await gateway.metrics();
      for (const name of ['websocket_latency', 'wsluice_upstream_latency', 'wsluice_heartbeat_rtt'])
        expect(now.sum(`${name}_seconds_count`)).toBeGreaterThan(0);
      for (const codec of ['zstd', 'brotli', 'gzip'])
        expect(now.sum('wsluice_codec_bytes_total', { codec, stage: 'packed' })).toBeGreaterThan(0);
      return now;
    });
  });

  it('publishes what promtool wants', () => {
    expect(complaints(page.text)).toEqual(theName);
  });

  it("is read by Prometheus's own parser as OpenMetrics", async () => {
    const headers = { Accept: 'application/openmetrics-text; version=1.0.0' };
    const response = await fetch(`${gateway.adminUrl}/metrics`, { headers });
    expect(response.headers.get('content-type')).toContain('application/openmetrics-text');
    expect(parserFaults(await response.text())).toEqual({ status: 0, stderr: '' });
  });

  it('publishes the metrics, types and labels that docs/metrics.md lists, and no others of its own', () => {
    const table = readFileSync(join(CHECKOUT, 'docs/metrics.md'), 'utf8').matchAll(
      /^\| `((?:wsluice|websocket)_\w+)` *\| (\w+) *\| ([^|]*)\|/gm,
    );
    const listed = Array.from(table, ([, name, type, labels]) => ({
      ...{ name: name!, type: type! },
      labels: Array.from(labels!.matchAll(/\w+/g), ([label]) => label).sort(),
    }));
    const published = Array.from(page.types(), ([name, type]) => ({
      name,
      type,
      labels: page.labelsOf(name),
    }));
    const byName = (a: { name: string }, b: { name: string }): number => (a.name < b.name ? -1 : 1);
    expect(listed.sort(byName)).toEqual(
      published.filter(({ name }) => /^(wsluice|websocket)_/.test(name)).sort(byName),
    );
  });
});
