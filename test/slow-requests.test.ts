import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from './support/backend.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { startMuxBackend } from './support/mux-backend.ts';

const SLOW_MS = 150;
const TIMEOUT_MS = 600;
/** So many lines fit into a second, and no more. */
const LINES = 3;

let gateway: Gateway;

const lines = (pool: string): Record<string, unknown>[] =>
  gateway.logs().filter(({ msg, pool: of }) => msg === 'slow request' && of === pool);

async function counted(pool: string): Promise<number> {
  return (await gateway.metrics()).sum('wsluice_slow_requests_total', { pool });
}

async function callLate(path: string, requestId: string, calls: number, ms: number): Promise<void> {
  const client = await connectClient(gateway.at(path), { headers: { 'X-Request-Id': requestId } });
  for (let id = 1; id <= calls; id++) client.send(rpc(id, 'late', { ms }));
  for (let id = 1; id <= calls; id++) await client.next();
  await client.close(1000);
}

const rpc = (id: number, method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });

beforeAll(async () => {
  const jsonRpc = await startJsonRpcBackend();
  const late = await startBackend({
    onConnection: (socket) =>
      socket.on('message', (data) => setTimeout(() => socket.send(data), SLOW_MS + 50)),
  });
  const mux = await startMuxBackend({
    onMessage: (stream, data, isBinary) => setTimeout(() => stream.send(data, isBinary), SLOW_MS + 50),
  });
  const pool = (mode: string, url: string) => ({ mode, upstreams: [url], requestTimeoutMs: TIMEOUT_MS });
  gateway = await startGateway({
    config: {
      log: { slowRequestMs: SLOW_MS, slowRequestsPerSecond: LINES },
      routes: ['request', 'session', 'mux', 'echo'].map((name) => ({ path: `/${name}`, pool: name })),
      pools: {
        request: pool('request', `${jsonRpc.url}/rpc?token=canary`),
        session: pool('session', late.url),
        mux: pool('mux', mux.url),
        echo: pool('request', 'echo:'),
      },
    },
  });
});

describe('slow requests', () => {
  it('are counted, and so many of them are logged, with what was left out', async () => {
    await callLate('/request', 'first', 20, SLOW_MS + 20);
    expect(await counted('request')).toBe(20);
    const seen = lines('request');
    expect(seen.length).toBeGreaterThan(0);
    expect(seen.length).toBeLessThanOrEqual(LINES);
    for (const line of seen) {
      expect(line).toMatchObject({ method: 'late', requestId: 'first', suppressed: 0 });
      expect(line['client']).toEqual(expect.any(Number));
      expect(line['durationMs']).toBeGreaterThanOrEqual(SLOW_MS);
      expect(line['upstream']).toMatch(/^ws:\/\/127\.0\.0\.1:\d+\/rpc$/);
    }
    await sleep(1_000);
    await callLate('/request', 'second', 1, SLOW_MS + 20);
    await eventually(() =>
      expect(lines('request').at(-1)).toMatchObject({ requestId: 'second', suppressed: 20 - seen.length }),
    );
  });

  it('have been those that had no answer in time', async () => {
    const before = await counted('request');
    const client = await connectClient(gateway.at('/request'));
    client.send(rpc(1, 'never', {}));
    expect((await client.next(5_000)).data.toString()).toContain('-32001');
    expect(await counted('request')).toBe(before + 1);
    await client.close(1000);
  });

  it.each(['session', 'mux'])('are known in %s mode by what comes next', async (name) => {
    const client = await connectClient(gateway.at(`/${name}`));
    client.send('hello');
    expect((await client.next()).data.toString()).toBe('hello');
    expect(await counted(name)).toBe(1);
    await client.close(1000);
  });

  it('are none where an answer is quick', async () => {
    const client = await connectClient(gateway.at('/echo'));
    client.send(rpc(1, 'anything', {}));
    await client.next();
    expect(await counted('echo')).toBe(0);
    await client.close(1000);
  });
});
