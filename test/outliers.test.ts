import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client } from './support/client.ts';
import { startBackend } from './support/backend.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import type { JsonRpcBackend } from './support/json-rpc-backend.ts';

const EJECTION_MS = 2_000;

let gateway: Gateway;
let good: JsonRpcBackend[];
let faults: number;

beforeAll(async () => {
  faults = 0;
  good = await Promise.all([1, 2, 3].map(() => startJsonRpcBackend()));
  const bad = await Promise.all([1, 2, 3, 4].map(() => startFaultyBackend()));
  const pool = {
    mode: 'request',
    balance: 'round-robin',
    healthCheckIntervalMs: 100,
    outlier: { baseEjectionMs: EJECTION_MS, slowStartMs: 500 },
  };
  gateway = await startGateway({
    config: {
      routes: [
        { path: '/one-bad', pool: 'one-bad' },
        { path: '/all-bad', pool: 'all-bad' },
        { path: '/checked', pool: 'checked' },
      ],
      pools: {
        'one-bad': { ...pool, upstreams: [...good.map(({ url }) => url), `${bad[0]!.url}/?key=secret`] },
        'all-bad': { ...pool, upstreams: bad.map(({ url }) => url) },
        checked: { ...pool, upstreams: [good[0]!.url], healthCheck: { method: 'whoami', params: ['check'] } },
      },
    },
  });
});

/** Answers every request with an internal error. */
function startFaultyBackend(): ReturnType<typeof startBackend> {
  return startBackend({
    onConnection: (socket) => {
      socket.on('message', (data: Buffer) => {
        faults++;
        const { id } = JSON.parse(data.toString()) as { id: number };
        socket.send(
          JSON.stringify({ jsonrpc: '2.0', id, error: { code: -32603, message: 'Internal error' } }),
        );
      });
    },
  });
}

async function askMany(client: Client, requests: number): Promise<number> {
  let failed = 0;
  for (let id = 0; id < requests; id++) {
    const { error } = await client.call({ jsonrpc: '2.0', id, method: 'echo', params: [] });
    if (error?.code === -32603) failed++;
  }
  return failed;
}

const ejected = async (pool: string): Promise<number> =>
  (await gateway.metrics()).sum('wsluice_upstream_ejected', { pool });

describe('one bad of four', () => {
  it('gets under 1 % after its fifth failure, and no ping brings it back', async () => {
    const client = await connectClient(gateway.at('/one-bad'));
    await eventually(async () => {
      expect(
        (await gateway.metrics()).sum('wsluice_pool_connections', { pool: 'one-bad', state: 'idle' }),
      ).toBe(4);
    });
    expect(await askMany(client, 40)).toBe(5);
    expect(await ejected('one-bad')).toBe(1);
    // Some pings and their pongs have passed since.
    expect(await askMany(client, 1_000)).toBeLessThan(10);
  });

  it('is told of under a label without its key', async () => {
    const page = await gateway.metrics();
    expect(page.text).not.toContain('secret');
    expect(page.labelValues('wsluice_upstream_ejected', 'upstream').length).toBeGreaterThanOrEqual(4);
  });

  it('is tried again after its time, and ejected at the first failure', async () => {
    await eventually(async () => expect(await ejected('one-bad')).toBe(0));
    const client = await connectClient(gateway.at('/one-bad'));
    expect(await askMany(client, 100)).toBe(1);
    expect(await ejected('one-bad')).toBe(1);
  });
});

describe('all bad', () => {
  it('are still used: every request is answered by one of them', async () => {
    const client = await connectClient(gateway.at('/all-bad'));
    const before = faults;
    expect(await askMany(client, 200)).toBe(200);
    expect(faults - before).toBe(200);
    expect(await ejected('all-bad')).toBeLessThanOrEqual(2);
  });
});

describe('a configured health check', () => {
  it('is a real call, in nobody’s ledger', async () => {
    const check = '"method":"whoami","params":["check"]';
    await eventually(() => {
      expect(good[0]!.received.filter((text) => text.includes(check)).length).toBeGreaterThan(3);
    });
    const page = await gateway.metrics();
    expect(page.sum('wsluice_requests_accepted_total', { pool: 'checked' })).toBe(0);
    expect(page.sum('wsluice_requests_ended_total', { pool: 'checked' })).toBe(0);
  });
});
