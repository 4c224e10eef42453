import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { PoolReport } from '../server/admin/pools-control.ts';
import { connectClient, type Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from './support/json-rpc-backend.ts';
import { askAdmin, clientsPage, mainPool, operate, upstreams } from './support/operations-api.ts';

const call = (id: number, method = 'echo', params: unknown = id): object => ({
  jsonrpc: '2.0',
  id,
  method,
  params,
});

interface World {
  readonly gateway: Gateway;
  readonly backends: readonly JsonRpcBackend[];
}

async function start(
  pool: Readonly<Record<string, unknown>> = {},
  { count = 1, config = {} }: { count?: number; config?: Record<string, unknown> } = {},
): Promise<World> {
  const backends = await Promise.all(
    Array.from({ length: count }, (_, n) => startJsonRpcBackend({ name: `backend ${n}` })),
  );
  const main = { mode: 'request', upstreams: backends.map(({ url }) => url), ...pool };
  const gateway = await startGateway({ config: { pools: { main }, ...config } });
  return { gateway, backends };
}

const messages = (gateway: Gateway): unknown[] => gateway.logs().map(({ msg }) => msg);

/** Whether nothing comes for a while. */
async function staysSilent(client: Client, ms = 150): Promise<boolean> {
  await sleep(ms);
  return client.waiting() === 0;
}

describe('the clients of a gateway', () => {
  it('are listed, page by page, with what each has done, and never with their token', async () => {
    const { gateway } = await start({}, { config: { identity: { header: 'x-api-key' } } });
    const headers = { 'X-Api-Key': 'canary-token' };
    const clients = [
      await connectClient(`${gateway.url}?codec=zstd`, { headers }),
      await connectClient(gateway.url),
      await connectClient(gateway.url, { headers }),
    ];
    await clients[1]!.call(call(1, 'echo', 'x'.repeat(100)));
    clients[2]!.send(call(1, 'never'));
    await eventually(async () => expect((await mainPool(gateway)).inFlight).toBe(1));
    const page = await clientsPage(gateway);
    expect(page).toMatchObject({ total: 3, offset: 0, limit: 100 });
    const [packed, caller, waiter] = page.clients;
    expect(packed).toMatchObject({ address: '127.0.0.1', route: '/ws', pool: 'main', codec: 'zstd' });
    expect(caller).toMatchObject({
      identity: null,
      messages: { received: 1, sent: 1 },
      inFlight: 0,
      codec: null,
    });
    expect(caller!.bytes.received).toBeGreaterThan(100);
    expect(caller!.bytes.sent).toBeGreaterThan(100);
    expect(Math.abs(Date.parse(caller!.connectedAt) - Date.now())).toBeLessThan(60_000);
    expect(waiter).toMatchObject({ inFlight: 1, waiting: 0, identity: packed!.identity });
    expect(waiter!.identity).toMatch(/^[0-9a-f]{16}$/);
    expect(JSON.stringify(page) + gateway.output()).not.toContain('canary-token');
    const ids = page.clients.map(({ id }) => id);
    expect((await clientsPage(gateway, '?limit=2')).clients.map(({ id }) => id)).toEqual(ids.slice(0, 2));
    expect((await clientsPage(gateway, '?offset=2&limit=2')).clients.map(({ id }) => id)).toEqual([ids[2]]);
    expect((await mainPool(gateway)).clients).toBe(3);
  });

  it('are closed one by one, and nobody else is', async () => {
    const { gateway } = await start();
    const [first, second] = [await connectClient(gateway.url), await connectClient(gateway.url)];
    const { id } = (await clientsPage(gateway)).clients[0]!;
    expect(await askAdmin(gateway, 'DELETE', `/api/clients/${id}`)).toEqual({
      status: 200,
      body: { id, closed: true },
    });
    expect(await first.closed).toEqual({ code: 1008, reason: 'closed by an operator' });
    expect(await second.call(call(1))).toMatchObject({ result: 1 });
    expect((await askAdmin(gateway, 'DELETE', `/api/clients/${id}`)).status).toBe(404);
    expect(gateway.logs()).toContainEqual(expect.objectContaining({ client: id }));
    expect((await gateway.metrics()).sum('websocket_errors_total')).toBe(0);
  });
});

describe('a pause', () => {
  it('waits for what is in flight, holds what comes, and lets clients in', async () => {
    const { gateway, backends } = await start();
    const client = await connectClient(gateway.url);
    client.send(call(1, 'late', { ms: 200 }));
    await eventually(() => expect(backends[0]!.received).toHaveLength(1));
    const paused = operate(gateway, 'pause');
    await eventually(async () => expect((await mainPool(gateway)).paused).toBe(true));
    const late = await connectClient(gateway.url);
    late.send(call(2));
    const reply = await paused;
    expect([reply.status, reply.body.inFlight, reply.body.paused]).toEqual([200, 0, true]);
    expect(await client.nextJson()).toMatchObject({ id: 1 });
    expect(await staysSilent(late)).toBe(true);
    expect(await mainPool(gateway)).toMatchObject({ waiting: 1, healthy: true, clients: 2 });
    expect((await fetch(`${gateway.adminUrl}/ready`)).status).toBe(200);
    expect((await operate(gateway, 'resume')).body.paused).toBe(false);
    expect(await late.nextJson()).toMatchObject({ id: 2, result: 2 });
    expect(backends[0]!.received).toHaveLength(2);
    expect(messages(gateway)).toEqual(expect.arrayContaining(['pool paused', 'pool resumed']));
  });

  it('says what is in flight when that takes too long, and stays', async () => {
    const { gateway } = await start({ requestTimeoutMs: 60_000 });
    const client = await connectClient(gateway.url);
    client.send(call(1, 'never'));
    await eventually(async () => expect((await mainPool(gateway)).inFlight).toBe(1));
    const { status, body } = await operate(gateway, 'pause?timeoutMs=50');
    expect([status, body.inFlight, body.paused]).toEqual([504, 1, true]);
    expect(body.faults).toEqual([expect.stringContaining('1 still in flight')]);
    expect((await mainPool(gateway)).paused).toBe(true);
  });

  it('holds no more than the queue: -32003 beyond; what it holds keeps its request time-out: -32001', async () => {
    const queue = { maxSize: 5, timeoutMs: 50 };
    const { gateway } = await start({ queue, requestTimeoutMs: 600, maxInFlightPerClient: 10 });
    const client = await connectClient(gateway.url);
    await operate(gateway, 'pause');
    for (let id = 1; id <= 6; id++) client.send(call(id));
    expect(await client.nextJson()).toMatchObject({ id: 6, error: { code: -32003 } });
    // Ten times the queue's time-out, which stands still.
    expect(await staysSilent(client, 300)).toBe(true);
    for (let id = 1; id <= 5; id++) expect((await client.nextJson()).error?.code).toBe(-32001);
    await operate(gateway, 'resume');
    expect(await client.call(call(7))).toMatchObject({ result: 7 });
  });

  it('in session mode lets sessions go on and clients that come wait for their seat', async () => {
    const { gateway } = await start(
      { mode: 'session' },
      { config: { listen: { handshakeTimeoutMs: 8_000 } } },
    );
    const session = await connectClient(gateway.url);
    expect((await operate(gateway, 'pause')).status).toBe(200);
    expect(await session.call(call(1))).toMatchObject({ result: 1 });
    const arriving = connectClient(gateway.url);
    await eventually(async () => expect((await mainPool(gateway)).waiting).toBe(1));
    await operate(gateway, 'resume');
    expect(await (await arriving).call(call(2))).toMatchObject({ result: 2 });
  });

  it('in session mode turns clients away at the handshake deadline', async () => {
    const { gateway } = await start({ mode: 'session' }, { config: { listen: { handshakeTimeoutMs: 300 } } });
    await operate(gateway, 'pause');
    await expect(connectClient(gateway.url)).rejects.toThrow('refused with 503');
    await eventually(async () => expect((await mainPool(gateway)).waiting).toBe(0));
  });
});

describe('a reconnect', () => {
  it('gives every client of request mode new connections without its noticing', async () => {
    const { gateway, backends } = await start({ minConnections: 4 }, { count: 2 });
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(gateway.url)));
    await eventually(() => expect(backends.map(({ sockets }) => sockets.size)).toEqual([2, 2]));
    const old = backends.flatMap(({ sockets }) => [...sockets]);
    let asking = true;
    const loops = clients.map(async (client) => {
      for (let id = 1; asking; id++) expect(await client.call(call(id))).toEqual(reply(id));
    });
    expect((await operate(gateway, 'reconnect')).status).toBe(202);
    await eventually(() => expect(old.every(({ readyState, CLOSED }) => readyState === CLOSED)).toBe(true));
    asking = false;
    await Promise.all(loops);
    await eventually(() => expect(backends.map(({ sockets }) => sockets.size)).toEqual([2, 2]));
    expect((await mainPool(gateway)).totals).toMatchObject({ errored: 0, upstreamsLost: 0 });
  });
});

const reply = (id: number): object => ({ jsonrpc: '2.0', id, result: id });

describe('other upstreams', () => {
  it('come and go without any client noticing', async () => {
    const { gateway, backends } = await start({ minConnections: 2 }, { count: 2 });
    const added = await startJsonRpcBackend();
    const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(gateway.url)));
    let asking = true;
    const loops = clients.map(async (client) => {
      for (let id = 1; asking; id++) expect(await client.call(call(id))).toEqual(reply(id));
    });
    const body = { upstreams: [backends[1]!.url, added.url] };
    const put = await askAdmin<PoolReport & Record<string, unknown>>(gateway, 'PUT', '/api/pools/main', body);
    expect(put).toMatchObject({
      status: 200,
      body: { name: 'main', added: [`${added.url}/`], removed: [`${backends[0]!.url}/`] },
    });
    await eventually(() => expect(backends[0]!.sockets.size).toBe(0));
    const before = added.received.length;
    await eventually(() => expect(added.received.length).toBeGreaterThan(before));
    await eventually(async () =>
      expect((await upstreams(gateway)).map(({ upstream, removed }) => [upstream, removed])).toEqual([
        [`${backends[1]!.url}/`, false],
        [`${added.url}/`, false],
      ]),
    );
    asking = false;
    await Promise.all(loops);
    expect(gateway.logs()).toContainEqual(expect.objectContaining({ msg: 'upstreams replaced' }));
  });

  it('leave sessions on the upstream that they are on', async () => {
    const { gateway, backends } = await start({ mode: 'session' });
    const added = await startJsonRpcBackend({ name: 'added' });
    const session = await connectClient(gateway.url);
    await askAdmin(gateway, 'PUT', '/api/pools/main', { upstreams: [added.url] });
    expect(await session.call(call(1, 'whoami'))).toMatchObject({ result: 'backend 0' });
    const next = await connectClient(gateway.url);
    expect(await next.call(call(1, 'whoami'))).toMatchObject({ result: 'added' });
    expect((await upstreams(gateway)).map(({ removed, connections }) => [removed, connections])).toEqual([
      [false, 1],
      [true, 1],
    ]);
    await session.close();
    await eventually(() => expect(backends[0]!.sockets.size).toBe(0));
    await eventually(async () => expect(await upstreams(gateway)).toHaveLength(1));
  });

  it('with a fault are a 400 that says which, and change nothing', async () => {
    const { gateway, backends } = await start();
    const body = { upstreams: ['ws://127.0.0.1:1', 'htp://nope'] };
    const { status, body: answer } = await askAdmin(gateway, 'PUT', '/api/pools/main', body);
    expect([status, answer]).toEqual([
      400,
      { faults: [expect.stringContaining('pools.main.upstreams[1]: "htp://nope"')] },
    ]);
    expect((await upstreams(gateway)).map(({ upstream }) => upstream)).toEqual([`${backends[0]!.url}/`]);
  });
});

describe('POST /api/drain', () => {
  it('is answered, and then the gateway drains and ends', async () => {
    const { gateway } = await start();
    const client = await connectClient(gateway.url);
    expect(await askAdmin(gateway, 'POST', '/api/drain')).toEqual({ status: 202, body: { draining: true } });
    expect((await client.closed).code).toBe(1001);
    expect(await gateway.exited).toBe(0);
    expect(messages(gateway)).toEqual(expect.arrayContaining(['drained']));
  });

  it('lets a paused pool answer what it holds before the end', async () => {
    const { gateway } = await start();
    const client = await connectClient(gateway.url);
    await operate(gateway, 'pause');
    client.send(call(1));
    await eventually(async () => expect((await mainPool(gateway)).waiting).toBe(1));
    gateway.signal('SIGTERM');
    expect(await client.nextJson()).toEqual(reply(1));
    expect((await client.closed).code).toBe(1001);
    expect(await gateway.exited).toBe(0);
  });
});

describe('who may operate', () => {
  const changes = [
    ['POST', '/api/pools/main/pause'],
    ['POST', '/api/pools/main/resume'],
    ['POST', '/api/pools/main/reconnect'],
    ['PUT', '/api/pools/main'],
    ['DELETE', '/api/clients/1'],
    ['POST', '/api/drain'],
  ] as const;
  const reads = ['/api/pools', '/api/pools/main', '/api/upstreams', '/api/clients'];

  it('is not a page of another origin, and nothing is changed by GET', async () => {
    const { gateway } = await start();
    const client = await connectClient(gateway.url);
    for (const [method, path] of changes) {
      const headers = { Origin: 'https://evil.example' };
      const body = method === 'PUT' ? { body: '{"upstreams":["ws://127.0.0.1:1"]}' } : {};
      expect((await fetch(gateway.adminUrl + path, { method, headers, ...body })).status).toBe(403);
      expect([200, 405]).toContain((await fetch(gateway.adminUrl + path)).status);
    }
    expect((await mainPool(gateway)).paused).toBe(false);
    expect(await client.call(call(1))).toEqual(reply(1));
  });

  it('is who bears the token, where there is one', async () => {
    const token = 'correct-horse-battery-staple';
    const { gateway } = await start({}, { config: { admin: { token } } });
    for (const [method, path] of [...changes, ...reads.map((path) => ['GET', path] as const)]) {
      expect((await fetch(gateway.adminUrl + path, { method })).status).toBe(401);
    }
    for (const path of reads) {
      const headers = { Authorization: `Bearer ${token}` };
      expect((await fetch(gateway.adminUrl + path, { headers })).status).toBe(200);
    }
    expect(gateway.hasExited()).toBe(false);
  });
});
