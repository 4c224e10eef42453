import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startFixture } from './support/fixture.ts';
import type { Fixture } from './support/fixture.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import type { JsonRpcBackend } from './support/json-rpc-backend.ts';
import { OPCODE, RawClient } from './support/raw-client.ts';

const INTERVAL_MS = 400;
const TIMEOUT_MS = 300;
/** What the project promises about a dead peer. */
const GONE_WITHIN_MS = INTERVAL_MS + TIMEOUT_MS + 4_000;

describe('heartbeats', () => {
  let frozen: Fixture;
  let backend: JsonRpcBackend;
  let gateway: Gateway;

  beforeAll(async () => {
    frozen = await startFixture('rpc-backend.mjs');
    backend = await startJsonRpcBackend();
    gateway = await startGateway({
      config: {
        heartbeat: { intervalMs: INTERVAL_MS, timeoutMs: TIMEOUT_MS },
        pools: {
          main: {
            mode: 'request',
            upstreams: [backend.url, frozen.url],
            balance: 'round-robin',
            minConnections: 2,
            maxConnections: 2,
            healthCheckIntervalMs: INTERVAL_MS,
            requestTimeoutMs: 30_000,
            reconnect: { baseDelayMs: 50 },
          },
        },
      },
    });
  });

  it('drop a client that never pongs, keep one that does, and measure the round trip', async () => {
    const live = await connectClient(gateway.url);
    let pings = 0;
    live.socket.on('ping', () => pings++);
    const { client: dead } = await RawClient.upgrade(gateway.port);
    const startMs = performance.now();
    expect((await dead.nextFrame(GONE_WITHIN_MS)).opcode, 'the first thing it hears').toBe(OPCODE.ping);
    await dead.closed;
    expect(performance.now() - startMs).toBeLessThan(GONE_WITHIN_MS);
    await eventually(() => expect(pings).toBeGreaterThan(2));
    expect(live.socket.readyState).toBe(live.socket.OPEN);
    const page = await gateway.metrics();
    expect(page.sum('websocket_connections_total')).toBe(1);
    expect(page.typeOf('wsluice_heartbeat_rtt_seconds')).toBe('histogram');
    expect(page.sum('wsluice_heartbeat_rtt_seconds_count')).toBeGreaterThan(2);
    await live.close();
  });

  it('notice a frozen upstream: its requests end with -32002, others go on', async () => {
    const clients = await Promise.all(Array.from({ length: 10 }, () => connectClient(gateway.url)));
    const ends = clients.map((client) => {
      client.send({ jsonrpc: '2.0', id: 'n', method: 'never' });
      return client.nextJson(GONE_WITHIN_MS).catch(() => undefined);
    });
    const echo = { jsonrpc: '2.0', id: 1, method: 'echo', params: ['x'] };
    const probe = await connectClient(gateway.url);
    for (let i = 0; i < 4; i++) await probe.call(echo);
    const atBackend = backend.received.filter((text) => text.includes('"never"')).length;
    expect(atBackend, 'both upstreams were given requests').toBeGreaterThan(0);
    expect(atBackend).toBeLessThan(clients.length);

    frozen.signal('SIGSTOP');
    const ended = (await Promise.all(ends)).filter((reply): reply is Json => reply !== undefined);
    expect(ended.map((reply) => reply.error?.code)).toEqual(
      Array.from({ length: 10 - atBackend }, () => -32002),
    );
    const replies = await Promise.all(
      Array.from({ length: 10 }, async () => (await connectClient(gateway.url)).call(echo)),
    );
    expect(replies.map((reply) => reply.result)).toEqual(Array.from({ length: 10 }, () => ['x']));
    frozen.signal('SIGCONT');
  });
});
