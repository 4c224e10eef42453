import { beforeAll, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { startBackend } from './support/backend.ts';
import { connectClient } from './support/client.ts';
import type { Client } from './support/client.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';

const REQUEST_TIMEOUT_MS = 1_000;
const SLOW_MS = 2_000;
const CLIENTS = 120;

let gateway: Gateway;

beforeAll(async () => {
  const backends = await Promise.all(Array.from({ length: 11 }, (_, n) => startTimedBackend(n === 4)));
  const balances = ['peak-ewma', 'round-robin', 'least-connections'];
  const pools = balances.map((balance) => [
    balance,
    {
      mode: 'request',
      balance,
      upstreams: backends.map(({ url }) => url),
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      // What a breaker or an ejection would add is not what is measured.
      breaker: { failureThreshold: 1_000_000 },
      outlier: { consecutiveFailures: 0 },
    },
  ]);
  gateway = await startGateway({
    config: {
      routes: balances.map((pool) => ({ path: `/${pool}`, pool })),
      pools: Object.fromEntries(pools) as Record<string, unknown>,
    },
  });
});

/** Answers after 1 to 9 ms, the slow one after two seconds. */
function startTimedBackend(isSlow: boolean): ReturnType<typeof startBackend> {
  return startBackend({
    onConnection: (socket) => {
      socket.on('message', (data: Buffer) => {
        const { id } = JSON.parse(data.toString()) as { id: number };
        const reply = (): void => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: 'ok' }));
        setTimeout(reply, isSlow ? SLOW_MS : 1 + ((id * 7) % 9));
      });
    },
  });
}

/** Open loop: a request every so often, of a client that waits for nothing. The share that was answered in time. */
async function successShare(path: string, perSecond: number, seconds: number): Promise<number> {
  const idle = await Promise.all(Array.from({ length: CLIENTS }, () => connectClient(gateway.at(path))));
  let succeeded = 0;
  let asked = 0;
  const ask = async (client: Client): Promise<void> => {
    asked++;
    const { result } = await client.call({ jsonrpc: '2.0', id: asked, method: 'm' }, 2 * SLOW_MS);
    if (result === 'ok') succeeded++;
    idle.push(client);
  };
  const asks: Promise<void>[] = [];
  const startedAtMs = performance.now();
  for (let elapsedMs = 0; elapsedMs < seconds * 1_000; elapsedMs = performance.now() - startedAtMs) {
    for (let due = Math.floor((elapsedMs * perSecond) / 1_000) - asked; due > 0 && idle.length > 0; due--) {
      asks.push(ask(idle.shift()!));
    }
    await sleep(2);
  }
  await Promise.all(asks);
  return succeeded / asked;
}

describe('one slow of eleven', () => {
  it('costs peak-ewma at most one request in a thousand, from the first on', async () => {
    expect(await successShare('/peak-ewma', 500, 4)).toBeGreaterThanOrEqual(0.999);
  });

  it('costs round-robin every eleventh, and least-connections something between', async () => {
    const [roundRobin, leastConnections] = await Promise.all([
      successShare('/round-robin', 150, 2),
      successShare('/least-connections', 150, 2),
    ]);
    expect(roundRobin).toBeLessThan(0.95);
    expect(leastConnections).toBeGreaterThan(roundRobin);
    expect(leastConnections).toBeLessThan(1);
  });
});
