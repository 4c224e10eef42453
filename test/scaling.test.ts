import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient, type Client, type Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced, type Ledger } from './support/ledger.ts';

const slots = 4;
const shared = { mode: 'request', maxInFlightPerConnection: slots, scaleIntervalMs: 100 };
const single = { ...shared, minConnections: 1, maxConnections: 1, maxInFlightPerConnection: 1 };

/** The backends of each pool; all pools are of one gateway. */
const backends = new Map<string, JsonRpcBackend[]>();
let gateway: Gateway;
/** Answers what occupies the only slot of the pool `classes`. */
let freeTheSlot = (): void => undefined;

beforeAll(async () => {
  const plain = (): Promise<JsonRpcBackend> => startJsonRpcBackend();
  backends.set('burst', [await plain(), await plain()]);
  backends.set('renewal', [await plain(), await plain()]);
  backends.set('bounds', [await plain()]);
  const holding = await startJsonRpcBackend({
    onConnection: (socket) => {
      socket.on('message', (data: Buffer) => {
        const { id, method } = JSON.parse(data.toString()) as { id: number; method: string };
        if (method === 'never')
          freeTheSlot = () => socket.send(JSON.stringify({ jsonrpc: '2.0', id, result: 0 }));
      });
    },
  });
  backends.set('classes', [holding]);
  const breaking = await startJsonRpcBackend({
    onConnection: (socket) => {
      socket.on('message', (data: Buffer) => {
        if (data.toString().includes('"whoami"') && breaking.upgrades.length === 1) socket.terminate();
      });
    },
  });
  backends.set('retry', [breaking]);
  const pools: Record<string, object> = {
    burst: { ...shared, maxConnections: 8 },
    renewal: { ...shared, minConnections: 4, maxConnections: 6, maxLifetimeMs: 400 },
    classes: { ...single, methodPriority: { echo: 'low' } },
    bounds: {
      ...single,
      queue: { timeoutMs: 600, maxSize: 3, priority: { low: { maxSize: 1 } } },
      methodPriority: { echo: 'low' },
    },
    retry: {
      ...single,
      retry: { idempotentMethods: ['whoami'], backoffMs: 300 },
      reconnect: { baseDelayMs: 10, maxDelayMs: 10 },
    },
  };
  const names = Object.keys(pools);
  for (const name of names)
    pools[name] = { ...pools[name], upstreams: backends.get(name)!.map(({ url }) => url) };
  const routes = [
    ...names.map((pool) => ({ path: `/${pool}`, pool })),
    { path: '/classes/high', pool: 'classes', priority: 'high' },
  ];
  gateway = await startGateway({ config: { routes, pools } });
});

function connectMany(path: string, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => connectClient(gateway.at(path))));
}

/** What has been added to the ledger since, once nothing is in flight. */
async function ledgerSince(before: Ledger): Promise<Partial<Ledger>> {
  const { accepted, replied, errored, abandoned } = await expectBalanced(gateway);
  return {
    accepted: accepted - before.accepted,
    replied: replied - before.replied,
    errored: errored - before.errored,
    abandoned: abandoned - before.abandoned,
  };
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
    const before = await expectBalanced(gateway);
    const clients = await connectMany('/burst', 8 * slots);
    const open = (): number[] => backends.get('burst')!.map((backend) => backend.connectionsNow());
    expect(open()).toEqual([1, 1]);
    // Slow enough for all to be in flight at once.
    const answers = clients.map((client) =>
      client.call({ jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 1_000 } }, 15_000),
    );
    await eventually(() => expect(open()).toEqual([4, 4]));
    expect((await Promise.all(answers)).filter(({ error }) => error !== undefined)).toEqual([]);
    await eventually(() => expect(open()).toEqual([1, 1]), 15_000);
    const { length } = clients;
    expect(await ledgerSince(before)).toEqual({
      accepted: length,
      replied: length,
      errored: 0,
      abandoned: 0,
    });
    expect(gateway.logs().filter(({ msg }) => msg === 'upstream connection lost')).toEqual([]);
  });

  it('are replaced when they are old, under load, and no request notices', async () => {
    const before = await expectBalanced(gateway);
    const clients = await connectMany('/renewal', 10);
    let isOver = false;
    const talks = Promise.all(clients.map((client) => chatter(client, () => isOver)));
    const opened = (): number =>
      backends.get('renewal')!.reduce((sum, { upgrades }) => sum + upgrades.length, 0);
    const atFirst = opened();
    await eventually(() => expect(opened()).toBeGreaterThan(atFirst + 12), 30_000);
    isOver = true;
    const answers = (await talks).flat();
    expect(answers.filter(({ error }) => error !== undefined)).toEqual([]);
    const { length } = answers;
    expect(await ledgerSince(before)).toEqual({
      accepted: length,
      replied: length,
      errored: 0,
      abandoned: 0,
    });
    for (const backend of backends.get('renewal')!) expect(backend.connectionsPeak()).toBeLessThanOrEqual(6);
  });
});

describe('requests that wait', () => {
  it('are served by the weight of their class, and in turn between the clients of a class', async () => {
    const before = await expectBalanced(gateway);
    const { received } = backends.get('classes')![0]!;
    const [first, medium] = await connectMany('/classes', 2);
    const [high, otherHigh, low] = await connectMany('/classes/high', 3);
    // It holds the only slot until everybody else waits.
    first!.send({ jsonrpc: '2.0', id: 'head', method: 'never' });
    await eventually(() => expect(received.length).toBe(1));
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
    const names = received
      .slice(1)
      .map((text) => (JSON.parse(text) as { params: { name: string } }).params.name);
    const served = (name: string): number => names.slice(0, 36).filter((one) => one === name).length;
    expect(['high', 'other high', 'medium', 'low'].map(served)).toEqual([9, 9, 12, 6]);
    expect(await ledgerSince(before)).toEqual({ accepted: 97, replied: 97, errored: 0, abandoned: 0 });
  });

  it('get -32003 when they have waited long enough, and are never left without an answer', async () => {
    const before = await expectBalanced(gateway);
    const { received } = backends.get('bounds')![0]!;
    const [busy, waiting] = await connectMany('/bounds', 2);
    busy!.send({ jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 2_000 } });
    await eventually(() => expect(received.length).toBe(1));
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
    expect(await ledgerSince(before)).toEqual({ accepted: 6, replied: 0, errored: 5, abandoned: 1 });
  });
});

describe('a retry', () => {
  it('comes after a back-off, once, and before what its client sent later', async () => {
    const before = await expectBalanced(gateway);
    const client = await connectClient(gateway.at('/retry'));
    for (const [id, method] of ['whoami', 'echo', 'echo'].entries())
      client.send({ jsonrpc: '2.0', id, method, params: [] });
    const answers = [await client.nextJson(), await client.nextJson(), await client.nextJson()];
    expect(answers.map(({ id, error }) => [id, error])).toEqual([0, 1, 2].map((id) => [id, undefined]));
    const { received } = backends.get('retry')![0]!;
    const methods = received.map((text) => (JSON.parse(text) as { method: string }).method);
    expect(methods).toEqual(['whoami', 'whoami', 'echo', 'echo']);
    expect(await ledgerSince(before)).toEqual({ accepted: 3, replied: 3, errored: 0, abandoned: 0 });
  });
});
