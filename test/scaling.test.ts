import { describe, expect, it } from 'vitest';
import { connectClient, type Client, type Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced } from './support/ledger.ts';

const slots = 4;

function gatewayOver(backends: readonly JsonRpcBackend[], pool: object): Promise<Gateway> {
  const upstreams = backends.map(({ url }) => url);
  const main = { mode: 'request', upstreams, maxInFlightPerConnection: slots, scaleIntervalMs: 100, ...pool };
  return startGateway({ config: { pools: { main } } });
}

function connectMany(gateway: Gateway, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => connectClient(gateway.url)));
}

/** Asks again and again until it is told to stop; returns every answer. */
async function chatter(client: Client, isOver: () => boolean): Promise<Json[]> {
  const answers: Json[] = [];
  for (let id = 1; !isOver(); id++)
    answers.push(await client.call({ jsonrpc: '2.0', id, method: 'late', params: { ms: 5 } }));
  return answers;
}

describe('shared connections', () => {
  it('grow at once under a burst and are closed after it, over both endpoints, with nothing lost', async () => {
    const backends = [await startJsonRpcBackend(), await startJsonRpcBackend()];
    const gateway = await gatewayOver(backends, { maxConnections: 8 });
    const clients = await connectMany(gateway, 8 * slots);
    const open = (): number[] => backends.map((backend) => backend.connectionsNow());
    expect(open()).toEqual([1, 1]);
    // Slow enough for all to be in flight at once.
    const answers = clients.map((client) =>
      client.call({ jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 1_000 } }, 15_000),
    );
    await eventually(() => expect(open()).toEqual([4, 4]));
    expect((await Promise.all(answers)).filter(({ error }) => error !== undefined)).toEqual([]);
    await eventually(() => expect(open()).toEqual([1, 1]), 15_000);
    expect(await expectBalanced(gateway)).toMatchObject({ accepted: clients.length, errored: 0 });
    expect(gateway.logs().filter(({ msg }) => msg === 'upstream connection lost')).toEqual([]);
  });

  it('are replaced when they are old, under load, and no request notices', async () => {
    const backends = [await startJsonRpcBackend(), await startJsonRpcBackend()];
    const gateway = await gatewayOver(backends, { minConnections: 4, maxConnections: 6, maxLifetimeMs: 400 });
    const clients = await connectMany(gateway, 10);
    let isOver = false;
    const talks = Promise.all(clients.map((client) => chatter(client, () => isOver)));
    const opened = (): number => backends.reduce((sum, { upgrades }) => sum + upgrades.length, 0);
    await eventually(() => expect(opened()).toBeGreaterThan(20), 30_000);
    isOver = true;
    const answers = (await talks).flat();
    expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
    expect(await expectBalanced(gateway)).toMatchObject({ accepted: answers.length, errored: 0 });
    for (const backend of backends) expect(backend.connectionsPeak()).toBeLessThanOrEqual(6);
  });
});

describe('requests that wait', () => {
  const one = { minConnections: 1, maxConnections: 1, maxInFlightPerConnection: 1 };

  it('are served by the weight of their class, and in turn between the clients of a class', async () => {
    let freeTheSlot = (): void => undefined;
    const backend = await startJsonRpcBackend({
      onConnection: (socket) => {
        socket.on('message', (data: Buffer) => {
          const { id, method } = JSON.parse(data.toString()) as { id: number; method: string };
          if (method === 'never')
            freeTheSlot = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: 0 }));
        });
      },
    });
    const pool = { mode: 'request', upstreams: [backend.url], ...one, methodPriority: { echo: 'low' } };
    const routes = [
      { path: '/high', pool: 'main', priority: 'high' },
      { path: '/medium', pool: 'main' },
    ];
    const gateway = await startGateway({ config: { routes, pools: { main: pool } } });
    const [first, high, otherHigh, medium, low] = await Promise.all(
      ['/medium', '/high', '/high', '/medium', '/high'].map((path) => connectClient(gateway.at(path))),
    );
    // It holds the only slot until everybody else waits.
    first!.send({ jsonrpc: '2.0', id: 'head', method: 'never' });
    await eventually(() => expect(backend.received.length).toBe(1));
    const ask = (client: Client, name: string, method: string): void => {
      for (let id = 0; id < 24; id++)
        client.send({ jsonrpc: '2.0', id: `${name} ${id}`, method, params: { name } });
    };
    ask(high!, 'high', 'whoami');
    ask(otherHigh!, 'other high', 'whoami');
    ask(medium!, 'medium', 'whoami');
    // Of the method's class and the route's, the method's counts.
    ask(low!, 'low', 'echo');
    await eventually(async () => expect((await gateway.metrics()).sum('wsluice_pool_waiting')).toBe(96));
    freeTheSlot();
    await first!.next();
    for (const client of [high, otherHigh, medium, low])
      for (let n = 0; n < 24; n++) await client!.next(15_000);
    const names = backend.received
      .slice(1)
      .map((text) => (JSON.parse(text) as { params: { name: string } }).params.name);
    const served = (name: string): number => names.slice(0, 36).filter((one) => one === name).length;
    expect(['high', 'other high', 'medium', 'low'].map(served)).toEqual([9, 9, 12, 6]);
    await expectBalanced(gateway);
  });

  it('get -32003 when they have waited long enough, and are never left without an answer', async () => {
    const backend = await startJsonRpcBackend();
    const queue = { timeoutMs: 600, maxSize: 3, priority: { low: { maxSize: 1 } } };
    const gateway = await gatewayOver([backend], { ...one, queue, methodPriority: { echo: 'low' } });
    const [busy, waiting] = await connectMany(gateway, 2);
    busy!.send({ jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 2_000 } });
    await eventually(() => expect(backend.received.length).toBe(1));
    const from = performance.now();
    for (const [id, method] of ['echo', 'echo', 'whoami', 'whoami', 'whoami'].entries())
      waiting!.send({ jsonrpc: '2.0', id, method });
    const refused = [await waiting!.nextJson(), await waiting!.nextJson()];
    const timedOut = [await waiting!.nextJson(), await waiting!.nextJson(), await waiting!.nextJson()];
    // The second of the low class, and the one that is too many in all.
    expect(refused.map(({ id }) => id)).toEqual([1, 4]);
    expect(timedOut.map(({ id }) => id)).toEqual([0, 2, 3]);
    expect(new Set([...refused, ...timedOut].map(({ error }) => error?.code))).toEqual(new Set([-32003]));
    expect(performance.now() - from).toBeGreaterThan(550);
    busy!.socket.terminate();
    const { accepted, errored, abandoned } = await expectBalanced(gateway);
    expect([accepted, errored, abandoned]).toEqual([6, 5, 1]);
  });
});

describe('a retry', () => {
  it('comes after a back-off, once, and before what its client sent later', async () => {
    const backend = await startJsonRpcBackend({
      onConnection: (socket) => {
        socket.on('message', (data: Buffer) => {
          if (data.toString().includes('"whoami"') && backend.upgrades.length === 1) socket.terminate();
        });
      },
    });
    const gateway = await gatewayOver([backend], {
      maxConnections: 1,
      maxInFlightPerConnection: 1,
      retry: { idempotentMethods: ['whoami'], backoffMs: 300 },
      reconnect: { baseDelayMs: 10, maxDelayMs: 10 },
    });
    const client = await connectClient(gateway.url);
    for (const [id, method] of ['whoami', 'echo', 'echo'].entries())
      client.send({ jsonrpc: '2.0', id, method, params: [] });
    const answers = [await client.nextJson(), await client.nextJson(), await client.nextJson()];
    expect(answers.map(({ id, error }) => [id, error])).toEqual([0, 1, 2].map((id) => [id, undefined]));
    const methods = backend.received.map((text) => (JSON.parse(text) as { method: string }).method);
    expect(methods).toEqual(['whoami', 'whoami', 'echo', 'echo']);
    expect(await expectBalanced(gateway)).toMatchObject({ accepted: 3, replied: 3, errored: 0 });
  });
});
