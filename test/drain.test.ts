import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { startChild, waitForPort } from './support/child.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { freePort } from './support/free-port.ts';
import { CHECKOUT, asGateway, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { startSessionBackend } from './support/session-backend.ts';

const LATE = { jsonrpc: '2.0', id: 'late', method: 'late', params: { ms: 600 } };
const NEVER = { jsonrpc: '2.0', id: 'never', method: 'never' };

describe('drain', () => {
  it('takes no new client, delivers what is in flight, closes all with 1001 spread over time, and exits with 0', async () => {
    const { gateway, backend } = await requestGateway();
    const idle = await Promise.all(Array.from({ length: 60 }, () => connectClient(gateway.url)));
    const busy = await Promise.all(Array.from({ length: 10 }, () => connectClient(gateway.url)));
    for (const client of busy) client.send(LATE);
    await eventually(() => expect(backend.received).toHaveLength(10));
    const closedAtMs: number[] = [];
    for (const client of idle) void client.closed.then(() => closedAtMs.push(performance.now()));

    gateway.signal('SIGTERM');
    await sleep(100);
    await expect(connectClient(gateway.url)).rejects.toThrow(
      /ECONNREFUSED|refused with 503|hang up|ECONNRESET/,
    );
    for (const client of busy)
      expect(await client.nextJson()).toMatchObject({ id: 'late', result: LATE.params });
    const ends = await Promise.all([...idle, ...busy].map((client) => client.closed));
    expect(
      ends.filter(({ code }) => code !== 1001),
      'not closed with 1001',
    ).toEqual([]);
    expect(await gateway.exited).toBe(0);
    expect(
      Math.max(...closedAtMs) - Math.min(...closedAtMs),
      'milliseconds from first to last',
    ).toBeGreaterThan(50);
    expect(backend.connectionsNow(), 'upstream connections left').toBe(0);
  });

  it('closes the two ends of a session', async () => {
    const backend = await startSessionBackend();
    const gateway = await startGateway({ args: ['--upstream', backend.url] });
    const client = await connectClient(gateway.url);
    client.send('hello');
    await client.next();
    expect(await gateway.stop('SIGINT')).toBe(0);
    expect((await client.closed).code).toBe(1001);
    await eventually(() => expect(backend.connectionsNow()).toBe(0));
  });

  it('exits at once when nobody is connected', async () => {
    const gateway = await startGateway();
    expect(await gateway.stop('SIGTERM', 3_000)).toBe(0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('is cut short by a second %s', async (signal) => {
    const { gateway, backend } = await requestGateway();
    const client = await connectClient(gateway.url);
    client.send(NEVER);
    await eventually(() => expect(backend.received).toHaveLength(1));
    gateway.signal(signal);
    await sleep(600);
    expect(gateway.hasExited(), 'the first signal waits for the request').toBe(false);
    await gateway.stop(signal, 1_500);
  });

  it('works the same through npm start', async () => {
    const backend = await startJsonRpcBackend();
    const port = await freePort();
    const adminPort = await freePort();
    const options = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)];
    const upstream = ['--mode', 'request', '--upstream', backend.url];
    const npm = startChild('npm', ['start', '--', ...options, ...upstream], {
      cwd: CHECKOUT,
      ownGroup: true,
    });
    await waitForPort(npm, port);
    const gateway = asGateway(npm, port, adminPort);
    const client = await connectClient(gateway.url);
    client.send(LATE);
    await eventually(() => expect(backend.received).toHaveLength(1));
    npm.signal('SIGTERM');
    expect(await client.nextJson()).toMatchObject({ id: 'late', result: LATE.params });
    expect((await client.closed).code).toBe(1001);
    expect(await npm.exited).toBe(0);
    await expect(connectClient(gateway.url), 'nobody listens any more').rejects.toThrow(/ECONNREFUSED/);
  });
});

async function requestGateway(): Promise<{
  gateway: Gateway;
  backend: Awaited<ReturnType<typeof startJsonRpcBackend>>;
}> {
  const backend = await startJsonRpcBackend();
  const gateway = await startGateway({ args: ['--mode', 'request', '--upstream', backend.url] });
  return { gateway, backend };
}
