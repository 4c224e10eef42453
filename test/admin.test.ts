import { request } from 'node:http';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { runWsluice, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';

const TOKEN = 'correct-horse-battery-staple';

describe('the admin listener', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway();
  });

  it.each(['/health', '/ready', '/metrics'])('answers 200 to GET %s', async (path) => {
    expect((await fetch(gateway.adminUrl + path)).status).toBe(200);
  });

  it('publishes the five names of every dashboard with their types', async () => {
    const page = await gateway.metrics();
    expect(page.typeOf('websocket_connections_total')).toBe('gauge');
    expect(page.typeOf('websocket_messages_sent_total')).toBe('counter');
    expect(page.typeOf('websocket_messages_received_total')).toBe('counter');
    expect(page.typeOf('websocket_latency_seconds')).toBe('histogram');
    expect(page.typeOf('websocket_errors_total')).toBe('counter');
    expect(page.find('websocket_connections_total')).toBe(0);
    expect(page.find('websocket_latency_seconds_bucket', { le: '+Inf' })).toBe(0);
    expect(page.find('wsluice_event_loop_lag_seconds_count')).toBeDefined();
  });

  it('serves metrics in the text format that Prometheus asks for', async () => {
    const answer = await fetch(`${gateway.adminUrl}/metrics`);
    expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  });

  it('counts connections while they are open', async () => {
    const clients = await Promise.all([1, 2, 3].map(() => connectClient(gateway.url)));
    expect((await gateway.metrics()).sum('websocket_connections_total')).toBe(3);
    for (const client of clients) await client.close();
    await eventually(async () =>
      expect((await gateway.metrics()).sum('websocket_connections_total')).toBe(0),
    );
  });

  it.each([
    ['/nope', 'GET', 404],
    ['/metrics', 'POST', 404],
    ['/health', 'DELETE', 404],
  ])('answers %s by %s with %i or 405', async (path, method, status) => {
    expect([status, 405]).toContain((await fetch(gateway.adminUrl + path, { method })).status);
  });

  it.each(['evil.example', 'evil.example:80', 'localhost.evil.example', '127.0.0.1.evil.example'])(
    'refuses a page that made %s resolve to this machine',
    async (host) => {
      expect(await statusOf(gateway, '/metrics', { Host: host })).toBe(403);
    },
  );

  it.each(['127.0.0.1', 'localhost', '[::1]'])('answers to the Host %s', async (host) => {
    expect(await statusOf(gateway, '/metrics', { Host: `${host}:${gateway.adminPort}` })).toBe(200);
  });

  it('is not reachable on the port of the clients', async () => {
    expect((await fetch(`http://127.0.0.1:${gateway.port}/metrics`)).status).toBe(404);
  });
});

describe('readiness', () => {
  it('is 503 with no upstream in sight, and 200 once one is there', async () => {
    const backend = await startJsonRpcBackend();
    await backend.stop();
    const pool = {
      mode: 'request',
      upstreams: [backend.url],
      minConnections: 1,
      reconnect: { baseDelayMs: 50 },
    };
    const gateway = await startGateway({ config: { pools: { main: pool } } });
    await eventually(async () => expect(await statusOf(gateway, '/ready')).toBe(503));
    expect(await statusOf(gateway, '/health'), 'the process itself is well').toBe(200);
    await backend.start();
    await eventually(async () => expect(await statusOf(gateway, '/ready')).toBe(200));
  });
});

describe('admin.token', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startGateway({ config: { admin: { token: TOKEN } } });
  });

  it.each([
    ['no token', {}],
    ['a wrong token', { Authorization: 'Bearer wrong' }],
    ['a part of it', { Authorization: `Bearer ${TOKEN.slice(0, -1)}` }],
    ['more than it', { Authorization: `Bearer ${TOKEN}x` }],
    ['another scheme', { Authorization: `Basic ${TOKEN}` }],
  ])('answers 401 to %s', async (_what, headers) => {
    expect(await statusOf(gateway, '/metrics', headers)).toBe(401);
  });

  it('lets the bearer of the token in', async () => {
    expect(await statusOf(gateway, '/metrics', { Authorization: `Bearer ${TOKEN}` })).toBe(200);
  });

  it.each(['/health', '/ready'])('leaves %s open', async (path) => {
    expect(await statusOf(gateway, path)).toBe(200);
  });

  it('is in no log line', () => {
    expect(gateway.output()).not.toContain(TOKEN);
  });

  it('is required for an admin host other than loopback', async () => {
    const ports = ['--port', String(await freePort()), '--admin-port', String(await freePort())];
    const child = runWsluice(['--host', '127.0.0.1', ...ports, '--admin-host', '0.0.0.0']);
    expect(await child.exited, child.output()).toBe(1);
    expect(child.output()).toMatch(/admin\.token/);
    expect(child.output().trim().split('\n')).toHaveLength(1);
  });
});

function statusOf(gateway: Gateway, path: string, headers: Record<string, string> = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    request(gateway.adminUrl + path, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}
