import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startFixture, type Fixture } from './support/fixture.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { askUpgrade } from './support/raw-client.ts';
import { onTearDown } from './support/tear-down.ts';

const RESET_TIMEOUT_MS = 1_500;
const REQUEST_TIMEOUT_MS = 300;

let gateway: Gateway;
let frozen: Fixture;
let goodbye: { goodbyes: number };
const resetting = { dialsAtMs: [] as number[] };

beforeAll(async () => {
  frozen = await startFixture('rpc-backend.mjs');
  onTearDown(() => void frozen.process.kill('SIGCONT'));
  goodbye = { goodbyes: 0 };
  const leaving = await startJsonRpcBackend({
    onConnection: (socket) => {
      goodbye.goodbyes++;
      setTimeout(() => socket.close(1001), 10);
    },
  });
  const pool = {
    minConnections: 1,
    maxConnections: 2,
    requestTimeoutMs: REQUEST_TIMEOUT_MS,
    healthCheckIntervalMs: 0,
    reconnect: { baseDelayMs: 10, maxDelayMs: 30 },
    breaker: { failureThreshold: 3, successThreshold: 2, resetTimeoutMs: RESET_TIMEOUT_MS },
  };
  gateway = await startGateway({
    config: {
      routes: ['refusing', 'resetting', 'frozen', 'leaving'].map((name) => ({
        path: `/${name}`,
        pool: name,
      })),
      pools: {
        refusing: { ...pool, mode: 'session', upstreams: [`ws://127.0.0.1:${await resettingServer(false)}`] },
        resetting: { ...pool, mode: 'request', upstreams: [`ws://127.0.0.1:${await resettingServer(true)}`] },
        frozen: { ...pool, mode: 'request', upstreams: [frozen.url] },
        leaving: { ...pool, mode: 'request', upstreams: [leaving.url] },
      },
    },
  });
});

/** Accepts and resets every connection, or refuses it. */
async function resettingServer(accepts: boolean): Promise<number> {
  const server = createServer((socket) => {
    resetting.dialsAtMs.push(performance.now());
    socket.resetAndDestroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  if (accepts) onTearDown(() => void server.close());
  else await new Promise((resolve) => server.close(resolve));
  return port;
}

async function stateOf(pool: string): Promise<number> {
  return (await gateway.metrics()).sum('wsluice_breaker_state', { pool });
}

const open = (pool: string): Promise<void> => eventually(async () => expect(await stateOf(pool)).toBe(1));

const call = { jsonrpc: '2.0', id: 1, method: 'echo', params: ['p'] };

describe('an upstream that resets every connection', () => {
  it('is left alone, but for one probe in each window', async () => {
    await open('resetting');
    const from = resetting.dialsAtMs.length;
    await eventually(() => expect(resetting.dialsAtMs.length).toBeGreaterThanOrEqual(from + 3));
    const gaps = resetting.dialsAtMs.slice(from - 1).map((atMs, n, all) => atMs - (all[n - 1] ?? -Infinity));
    for (const gap of gaps) expect(gap).toBeGreaterThanOrEqual(RESET_TIMEOUT_MS - 20);
  });

  it('is in the log with one line for each change', () => {
    const lines = gateway
      .logs()
      .filter(({ pool }) => pool === 'resetting')
      .map(({ msg }) => msg);
    expect(lines.filter((line) => line === 'upstream cannot be reached').length).toBe(1);
    const changes = lines.filter((line) => String(line).startsWith('breaker'));
    expect(changes.slice(0, 2)).toEqual([
      'breaker opened: nothing goes to this upstream',
      'breaker half-open: one probe at a time',
    ]);
    expect(changes.length).toBeLessThan(20);
  });
});

describe('an upstream that refuses every connection', () => {
  it('costs a session client no waiting: 503, and when to come back', async () => {
    await open('refusing');
    const startedAtMs = performance.now();
    const { status, headers } = await askUpgrade(gateway.port, { path: '/refusing' });
    expect(performance.now() - startedAtMs).toBeLessThan(250);
    expect(status).toBe(503);
    expect(Number(headers['retry-after'])).toBeGreaterThan(0);
  });
});

describe('an upstream that is silent', () => {
  it('gets nothing after a few time-outs, and one probe when it is time; answering again, it is used again', async () => {
    const client = await connectClient(gateway.at('/frozen'));
    expect(await client.call(call)).toMatchObject({ result: ['p'] });
    frozen.process.kill('SIGSTOP');
    for (let id = 0; id < 5; id++) client.send({ ...call, id });
    for (let n = 0; n < 5; n++) expect((await client.nextJson()).error?.code).toBe(-32001);
    expect(await stateOf('frozen')).toBe(1);
    const times: number[] = [];
    for (let n = 0; n < 200; n++) {
      const startedAtMs = performance.now();
      expect((await client.call(call)).error?.code).toSatisfy((code) => code === -32000 || code === -32001);
      times.push(performance.now() - startedAtMs);
    }
    // The 99th of a hundred: one of them may have been a probe.
    expect(times.sort((one, other) => one - other)[197]).toBeLessThan(50);
    frozen.process.kill('SIGCONT');
    await eventually(async () => expect(await client.call(call)).toMatchObject({ result: ['p'] }));
    await eventually(async () => {
      expect(await client.call(call)).toMatchObject({ result: ['p'] });
      expect(await stateOf('frozen')).toBe(0);
    });
  });
});

describe('an upstream that says goodbye', () => {
  it('has done nothing wrong, however often', async () => {
    await eventually(() => expect(goodbye.goodbyes).toBeGreaterThan(10));
    expect(await stateOf('leaving')).toBe(0);
  });
});
