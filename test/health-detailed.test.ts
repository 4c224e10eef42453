import { beforeAll, describe, expect, it } from 'vitest';
import type { HealthReport, UpstreamHealth } from '../server/admin/health-control.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from './support/json-rpc-backend.ts';
import { askAdmin, operate } from './support/operations-api.ts';

const health = (gateway: Gateway) => askAdmin<HealthReport>(gateway, 'GET', '/health/detailed');

async function upstreamHealth(gateway: Gateway, port: number): Promise<UpstreamHealth> {
  const { pools } = (await health(gateway)).body;
  return pools[0]!.upstreams.find(({ upstream }) => upstream.includes(String(port)))!;
}

/** How long ago that was, by the clock of this process. */
const secondsSince = (iso: string): number => (Date.now() - Date.parse(iso)) / 1_000;

describe('/health/detailed', () => {
  let good: JsonRpcBackend;
  let bad: JsonRpcBackend;
  let gateway: Gateway;
  let redisPort: number;

  beforeAll(async () => {
    good = await startJsonRpcBackend();
    bad = await startJsonRpcBackend();
    await bad.stop();
    redisPort = await freePort();
    gateway = await startGateway({
      config: {
        redis: { url: `redis://user:canary@127.0.0.1:${redisPort}` },
        pools: {
          main: {
            mode: 'request',
            upstreams: [`${good.url}/?token=canary`, `ws://user:canary@127.0.0.1:${bad.port}/?token=canary`],
            minConnections: 2,
            reconnect: { baseDelayMs: 50, maxDelayMs: 100 },
            breaker: { failureThreshold: 3, successThreshold: 1, resetTimeoutMs: 300 },
          },
        },
      },
    });
  });

  it('names what is not well, and answers 200 while there is an upstream', async () => {
    await eventually(async () => expect((await upstreamHealth(gateway, bad.port)).state).not.toBe('untried'));
    const { status, body } = await health(gateway);
    expect([status, body.status]).toEqual([200, 'degraded']);
    expect(body.problems).toEqual([
      'Redis does not answer',
      expect.stringMatching(
        new RegExp(`^pool main: ws://127.0.0.1:${bad.port}/ is (down|breaker-open|half-open)$`),
      ),
    ]);
    expect(body.redis!.state).toBe('down');
    expect(body.listener).toMatchObject({ state: 'accepting', connections: 0 });
    expect(body.memory.state).toBe('ok');
    expect(JSON.stringify(body)).not.toContain('canary');
  });

  it('says since when, and what went wrong last', async () => {
    const down = await upstreamHealth(gateway, bad.port);
    expect(down.lastFailure).toMatchObject({
      kind: 'dial',
      detail: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(secondsSince(down.lastFailure!.at) - down.lastFailure!.ageSeconds).toBeLessThan(1);
    const up = await upstreamHealth(gateway, good.port);
    expect(up).toMatchObject({ state: 'up', lastFailure: null });
    expect(up.ageSeconds).toBeGreaterThan(0);
    const later = await upstreamHealth(gateway, good.port);
    expect(later.ageSeconds).toBeGreaterThan(up.ageSeconds);
    expect(Date.parse(later.since) / 1_000).toBeCloseTo(Date.parse(up.since) / 1_000, 1);
  });

  it('has a paused pool as paused', async () => {
    await operate(gateway, 'pause');
    const { status, body } = await health(gateway);
    expect([status, body.status, body.pools[0]!.state]).toEqual([200, 'degraded', 'paused']);
    expect(body.pools[0]!.upstreams.map(({ state }) => state)).toEqual(['paused', 'paused']);
    await operate(gateway, 'resume');
  });

  it('is down with 503 when no upstream is left, and comes back', async () => {
    await good.stop();
    await eventually(async () => {
      const { status, body } = await health(gateway);
      expect([status, body.status, body.pools[0]!.state]).toEqual([503, 'down', 'down']);
    });
    await Promise.all([good.start(), bad.start()]);
    await eventually(async () => {
      const { status, body } = await health(gateway);
      expect([status, body.problems]).toEqual([200, ['Redis does not answer']]);
    });
    expect((await upstreamHealth(gateway, good.port)).lastFailure).not.toBeNull();
  });

  it('is down while the gateway drains', async () => {
    const client = await connectClient(gateway.url);
    client.send({ jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 2_500 } });
    await eventually(() => expect(good.received.length + bad.received.length).toBe(1));
    gateway.signal('SIGTERM');
    await eventually(async () => {
      const { status, body } = await health(gateway);
      expect([status, body.status, body.listener.state]).toEqual([503, 'down', 'draining']);
    });
    await client.next();
    expect(await gateway.exited).toBe(0);
  });
});
