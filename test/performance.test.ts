import { beforeAll, describe, expect, it } from 'vitest';
import type { PerformanceReport } from '../server/admin/performance-report.ts';
import { connectClient } from './support/client.ts';
import { connectCodecClient } from './support/codec-client.ts';
import { eventually } from './support/eventually.ts';
import { runWsluice, startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { followLive, type LiveView } from './support/live-view.ts';
import type { MetricsPage } from './support/metrics-page.ts';
import { askAdmin, clientsPage } from './support/operations-api.ts';

const ECHOES = 60;
const LATE = 4;
const LATE_MS = 200;
const UNANSWERED = 2;
const SESSION_MESSAGES = 25;
const REFUSED = 3;

let gateway: Gateway;
let live: LiveView;
let before: PerformanceReport;
let after: PerformanceReport;
let page: MetricsPage;

const rpc = (id: number, method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

async function performanceNow(): Promise<PerformanceReport> {
  const { status, body } = await askAdmin<PerformanceReport>(gateway, 'GET', '/api/admin/performance');
  expect(status).toBe(200);
  return body;
}

/** So many calls of each kind, all answered, on a connection that stays. */
async function callInRequestMode(): Promise<void> {
  const client = await connectClient(gateway.at('/request'));
  for (let id = 1; id <= ECHOES; id++) client.send(rpc(id, 'echo', id));
  for (let id = 1; id <= LATE; id++) client.send(rpc(1_000 + id, 'late', { ms: LATE_MS }));
  for (let id = 1; id <= UNANSWERED; id++) client.send(rpc(2_000 + id, 'never', null));
  for (let n = 0; n < ECHOES + LATE + UNANSWERED; n++) await client.next();
}

async function talkInSessionMode(): Promise<void> {
  const client = await connectCodecClient(gateway.at('/session?codec=gzip'), { codec: 'gzip' });
  for (let n = 0; n < SESSION_MESSAGES; n++) await client.echo('many times the same words. '.repeat(200));
}

beforeAll(async () => {
  const backend = await startJsonRpcBackend();
  const pool = { mode: 'request', upstreams: [backend.url], requestTimeoutMs: 2_000 };
  gateway = await startGateway({
    config: {
      log: { slowRequestMs: LATE_MS - 20 },
      routes: ['request', 'session', 'limited'].map((name) => ({ path: `/${name}`, pool: name })),
      pools: { request: pool, limited: pool, session: { upstreams: ['echo:'] } },
      rateLimits: [
        { scope: 'route', match: '/limited', strategy: 'token-bucket', requestsPerSecond: 0.01, burst: 1 },
      ],
    },
  });
  live = await followLive(gateway);
  before = await performanceNow();
  await Promise.all([callInRequestMode(), talkInSessionMode()]);
  const limited = await connectClient(gateway.at('/limited'));
  for (let id = 0; id <= REFUSED; id++) await limited.call(rpc(id, 'echo', id));
  page = await gateway.metrics();
  after = await performanceNow();
});

describe('/api/admin/performance', () => {
  it('has nothing but zeros before there was a request', () => {
    expect(before.performance).toEqual({
      totalRequests: 0,
      averageResponseTime: 0,
      slowRequests: 0,
      p50: 0,
      p95: 0,
      p99: 0,
      errors: 0,
      errorRate: 0,
      requestsPerSecond: 0,
    });
  });

  it('has every request once, in each mode', () => {
    const inRequestMode = ECHOES + LATE + UNANSWERED + 1;
    expect(after.performance.totalRequests).toBe(inRequestMode + SESSION_MESSAGES);
    expect(after.performance.errors).toBe(UNANSWERED);
    expect(after.performance.slowRequests).toBe(page.sum('wsluice_slow_requests_total'));
    expect(after.performance.slowRequests).toBeGreaterThanOrEqual(LATE + UNANSWERED);
    const { pools } = after;
    expect(pools.find(({ name }) => name === 'request')).toMatchObject({
      accepted: inRequestMode - 1,
      replied: ECHOES + LATE,
      errored: UNANSWERED,
    });
  });

  it('has times and connections that agree with what was done', () => {
    const { p50, p95, p99, averageResponseTime } = after.performance;
    expect(p50).toBeLessThanOrEqual(p95);
    expect(p95).toBeLessThanOrEqual(p99);
    // Four of ninety took that long: the slowest percent are among them.
    expect(p99).toBeGreaterThan(LATE_MS * 0.9);
    const sum = page.sum('websocket_latency_seconds_sum') * 1_000;
    expect(averageResponseTime).toBeCloseTo(sum / page.sum('websocket_latency_seconds_count'), 1);
    expect(after.pool.totalConnections).toBe(
      ['idle', 'busy', 'draining'].reduce(
        (total, state) => total + page.sum('wsluice_pool_connections', { state }),
        0,
      ),
    );
    expect(after.memory.heapUsed).toBeLessThan(after.memory.heapTotal);
    expect(after.memory.rss).toBeLessThan(after.memory.limit);
  });
});

it('the seconds of /api/live add up to /metrics', async () => {
  await eventually(() =>
    expect(live.total(({ perSecond }) => perSecond.received)).toBeCloseTo(total('received'), 3),
  );
  expect(live.total(({ perSecond }) => perSecond.sent)).toBeCloseTo(total('sent'), 3);
  expect(live.total(({ perSecond }) => perSecond.bytesSent)).toBeCloseTo(
    page.sum('websocket_bytes_sent_total'),
    0,
  );
  expect(live.total(({ perSecond }) => perSecond.replies)).toBeCloseTo(
    page.sum('websocket_latency_seconds_count'),
    3,
  );
  expect(live.total(({ perSecond }) => perSecond.errors)).toBeCloseTo(page.sum('websocket_errors_total'), 3);
  expect(live.total(({ refusedPerSecond }) => refusedPerSecond['route']!)).toBeCloseTo(REFUSED, 3);
  const stage = (name: string): number =>
    page.sum('wsluice_codec_bytes_total', { codec: 'gzip', stage: name });
  expect(live.total(({ codecs }) => codecs['gzip']!.plainBytes)).toBeCloseTo(stage('plain'), 0);
  expect(live.total(({ codecs }) => codecs['gzip']!.packedBytes)).toBeCloseTo(stage('packed'), 0);
  expect(stage('packed')).toBeLessThan(stage('plain') / 10);
});

it('a sample has the state of pools and process', () => {
  const sample = live.latest()!;
  expect(sample.connections).toEqual({ open: 3, max: page.sum('wsluice_connections_max') });
  expect(sample.draining).toBe(false);
  const [request] = sample.pools;
  expect(request).toMatchObject({
    name: 'request',
    clients: 1,
    upstreams: [{ state: 'up', lastFailure: { kind: 'silent' } }],
  });
  expect(sample.process.rssBytes).toBeGreaterThan(10e6);
  expect(sample.process.eventLoopUtilization).toBeLessThanOrEqual(1);
});

it('/api/clients?sort= finds who does most', async () => {
  const byMessages = await clientsPage(gateway, '?sort=messages&limit=1');
  expect(byMessages).toMatchObject({ total: 3, clients: [{ route: '/request' }] });
  const byBytes = await clientsPage(gateway, '?sort=bytes');
  const bytes = byBytes.clients.map((client) => client.bytes.sent + client.bytes.received);
  expect(bytes).toEqual(bytes.toSorted((a, b) => b - a));
});

it('wsluice top shows what there is', async () => {
  const child = runWsluice(['top', '--admin', gateway.adminUrl, '--once']);
  expect(await child.exited, child.output()).toBe(0);
  const lines = child
    .output()
    .split('\n')
    .map((line) => line.replaceAll(/ +/g, ' '));
  const row = (begin: string): string => lines.find((line) => line.startsWith(begin)) ?? '';
  expect(row('clients')).toMatch(/^clients 3 of /);
  expect(row('total')).toMatch(new RegExp(`^total ${after.performance.totalRequests} requests .* slow `));
  expect(row('request')).toMatch(/^request request ok 1 1\/1,000 /);
  expect(row('session')).toMatch(/^session session embedded 1 - /);
  expect(row('ws://')).toContain(' up ');
  const messages = 2 * (ECHOES + LATE + UNANSWERED);
  expect(
    lines.some((line) => line.includes(` request 0 ${messages} `)),
    lines.join('\n'),
  ).toBe(true);
});

function total(direction: 'received' | 'sent'): number {
  return page.sum(`websocket_messages_${direction}_total`);
}
