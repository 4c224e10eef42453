import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from './support/json-rpc-backend.ts';
import { askUpgrade } from './support/raw-client.ts';
import { startSessionBackend, type SessionBackend } from './support/session-backend.ts';

let session: SessionBackend;
let jsonRpc: JsonRpcBackend;
let gateway: Gateway;

beforeAll(async () => {
  [session, jsonRpc] = await Promise.all([startSessionBackend(), startJsonRpcBackend()]);
  const reconnect = { baseDelayMs: 5, maxDelayMs: 10 };
  const breaker = { failureThreshold: 3, successThreshold: 1, resetTimeoutMs: 50 };
  gateway = await startGateway({
    config: {
      listen: { maxConnections: 20 },
      rateLimits: [
        { scope: 'route', match: '/limited', strategy: 'token-bucket', requestsPerSecond: 1, burst: 1 },
      ],
      routes: ['dead', 'mortal', 'limited', 'full'].map((name) => ({
        path: `/${name}`,
        pool: name === 'limited' ? 'mortal' : name,
      })),
      pools: {
        dead: { mode: 'request', upstreams: [`ws://127.0.0.1:${await freePort()}`], reconnect, breaker },
        mortal: { upstreams: [session.url], reconnect, breaker, minConnections: 5 },
        full: {
          mode: 'request',
          upstreams: [jsonRpc.url],
          maxConnections: 1,
          maxInFlightPerConnection: 1,
          maxInFlightPerClient: 100_000,
          queue: { maxSize: 10 },
          requestTimeoutMs: 500,
          reconnect,
        },
      },
    },
  });
});

const lines = (pool: string): unknown[] =>
  gateway
    .logs()
    .filter(({ pool: of }) => of === pool)
    .map(({ msg }) => msg);

/** How often each stands there. */
const tally = (messages: readonly unknown[]): Record<string, number> =>
  Object.fromEntries(
    [...new Set(messages)].map((m) => [String(m), messages.filter((other) => other === m).length]),
  );

describe('the log', () => {
  it('has four lines for an upstream that hundreds of dials did not reach, and a thousand clients asked for', async () => {
    for (let n = 0; n < 1_000; n++)
      expect((await askUpgrade(gateway.port, { path: '/dead' })).status).toBe(503);
    expect(tally(lines('dead'))).toEqual({
      'upstream cannot be reached': 1,
      'breaker opened: nothing goes to this upstream': 1,
      'breaker half-open: one probe at a time': 1,
      'pool has no upstream': 1,
    });
  });

  it('has one line when a limit begins to refuse thousands of messages, with nothing of whom it refused', async () => {
    const client = await connectClient(gateway.at('/limited'));
    for (let n = 0; n < 5_000; n++) client.send('x');
    await client.next();
    const refusals = (): Record<string, unknown>[] =>
      gateway.logs().filter(({ msg }) => msg === 'rate limit refuses');
    await eventually(() => expect(refusals()).toHaveLength(1));
    for (let n = 0; n < 5_000; n++) client.send('x');
    await eventually(async () =>
      expect(
        (await gateway.metrics()).sum('wsluice_ratelimit_decisions_total', { decision: 'rejected' }),
      ).toBeGreaterThan(9_000),
    );
    expect(refusals()).toHaveLength(1);
    const { level, time, ...line } = refusals()[0]!;
    expect([typeof level, typeof time]).toEqual(['number', 'string']);
    expect(line).toEqual({
      msg: 'rate limit refuses',
      limit: 'route "/limited", messages, token-bucket',
      onExceed: 'reject',
    });
    await client.close(1000);
  });

  it('has one line when a queue is full, and one when there are enough clients', async () => {
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(gateway.at('/full'))));
    const [client] = clients;
    for (let id = 0; id < 3_000; id++) client!.send({ jsonrpc: '2.0', id, method: 'never' });
    for (let n = 0; n < 2_900; n++) await client!.next(10_000);
    for (let n = 0; n < 300; n++)
      expect((await askUpgrade(gateway.port, { path: '/full' })).status).toBe(503);
    await eventually(() => {
      expect(tally(lines('full'))).toMatchObject({ 'pool is full: requests or clients are turned away': 1 });
      const caps = gateway.logs().filter(({ msg }) => msg === 'connection cap reached: clients are refused');
      expect(caps).toHaveLength(1);
    });
    for (const each of clients) await each.close(1000);
  });

  it('tells of an upstream that goes and comes back, once each, though five connections were lost', async () => {
    await eventually(() => expect(session.connectionsNow()).toBe(5));
    await session.stop();
    await eventually(() => expect(lines('mortal')).toContain('pool has no upstream'));
    await session.start();
    await eventually(() => expect(lines('mortal')).toContain('pool has an upstream again'), 15_000);
    await eventually(() => expect(lines('mortal')).toContain('upstream is reachable again'), 15_000);
    const counts = tally(lines('mortal'));
    for (const message of [
      ...['upstream connection lost', 'upstream cannot be reached', 'upstream is reachable again'],
      ...['pool has no upstream', 'pool has an upstream again'],
    ])
      expect([message, counts[message]]).toEqual([message, 1]);
    expect(lines('mortal').length).toBeLessThan(12);
  });

  it('tells the phases of a drain, and little else in all this time', async () => {
    await connectClient(gateway.at('/full'));
    gateway.signal('SIGTERM');
    expect(await gateway.exited).toBe(0);
    const all = gateway.logs().map(({ msg }) => msg);
    expect(all.slice(all.findIndex((line) => String(line).startsWith('draining')))).toEqual([
      'draining: no new clients, replies in flight are delivered; a second signal stops at once',
      'clients are sent away',
      'drained',
    ]);
    expect(all.length).toBeLessThan(40);
  });
});
