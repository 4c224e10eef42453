import { once } from 'node:events';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import type { ConfigInput } from '../server/config/schema.ts';
import { createSharedLimits } from '../server/gateway.ts';

const script = join(import.meta.dirname, 'fixtures/gateway-thread.ts');
const threads: Worker[] = [];

afterEach(async () => {
  await Promise.all(
    threads.splice(0).map(async (thread) => {
      const exited = once(thread, 'exit');
      thread.postMessage('stop');
      await exited;
    }),
  );
});

/** The ports of two gateways, each in a thread of its own, under the same limits. */
async function startTwo(
  rateLimits: NonNullable<ConfigInput['rateLimits']>,
  differing: ConfigInput = {},
): Promise<number[]> {
  const config: ConfigInput = {
    listen: { host: '127.0.0.1', port: 0 },
    admin: { port: 0 },
    log: { level: 'silent' },
    rateLimits,
  };
  const sharedLimits = createSharedLimits(config);
  const starts = [1, 2].map(async () => {
    const thread = new Worker(script, {
      workerData: { config: { ...config, ...differing }, sharedLimits },
      execArgv: ['--disable-warning=ExperimentalWarning'],
    });
    threads.push(thread);
    const [{ port }] = (await once(thread, 'message')) as [{ port: number }];
    return port;
  });
  return Promise.all(starts);
}

/** Sends so many messages at once through each of the clients, and says how many each got back. */
async function echoes(clients: readonly WebSocket[], messages: number): Promise<number[]> {
  const got = clients.map(() => 0);
  clients.forEach((client, index) => client.on('message', () => got[index]!++));
  const pongs = clients.map(async (client) => {
    for (let n = 0; n < messages; n++) client.send(`${n}`);
    client.ping();
    await once(client, 'pong');
  });
  await Promise.all(pongs);
  for (const client of clients) client.removeAllListeners('message');
  return got;
}

async function connect(port: number, localAddress = '127.0.0.1'): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${port}/ws`, { localAddress });
  await once(client, 'open');
  return client;
}

it('two gateways in threads of one process let no more through together than one alone', async () => {
  const burst = 50;
  const ratePerSecond = 1_000;
  const ports = await startTwo([
    { scope: 'global', strategy: 'token-bucket', requestsPerSecond: ratePerSecond, burst },
  ]);
  const clients = await Promise.all(ports.map((port) => connect(port)));
  const startedMs = performance.now();
  let admitted = 0;
  for (let round = 0; performance.now() - startedMs < 1_500; round++) {
    // Most of the load moves from one thread to the other.
    const [more, less] = round % 20 < 10 ? clients : clients.toReversed();
    const counts = await Promise.all([echoes([more!], 30), echoes([less!], 3)]);
    admitted += counts.flat().reduce((sum, count) => sum + count, 0);
  }
  const allowed = burst + ((performance.now() - startedMs) / 1_000) * ratePerSecond;
  expect(admitted).toBeLessThanOrEqual(allowed);
  expect(admitted).toBeGreaterThan(allowed * 0.9);
  for (const client of clients) client.terminate();
});

it('a gateway in a thread goes by its own figures, whatever the memory was made for', async () => {
  const ports = await startTwo(
    [{ scope: 'global', strategy: 'token-bucket', requestsPerSecond: 0.1, burst: 20 }],
    {
      rateLimits: [{ scope: 'global', strategy: 'token-bucket', requestsPerSecond: 0.1, burst: 5 }],
    },
  );
  const clients = await Promise.all(ports.map((port) => connect(port)));
  const counts = (await Promise.all(clients.map((client) => echoes([client], 15)))).flat();
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(5);
  for (const client of clients) client.terminate();
});

it('two gateways in threads of one process know an address to be the same', async () => {
  const ports = await startTwo([
    { scope: 'ip', strategy: 'token-bucket', requestsPerSecond: 0.1, burst: 20 },
  ]);
  const [one, other] = await Promise.all(ports.map((port) => connect(port)));
  const stranger = await connect(ports[0]!, '127.0.0.9');
  const counts = [await echoes([one!], 15), await echoes([other!], 15), await echoes([stranger], 30)].flat();
  expect(counts).toEqual([15, 5, 20]);
  for (const client of [one!, other!, stranger]) client.terminate();
});
