import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient, type Client, type Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startFixture, type Fixture } from './support/fixture.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { expectBalanced } from './support/ledger.ts';
import { RawClient, clientFrame } from './support/raw-client.ts';

const REQUEST_TIMEOUT_MS = 700;
/** How often the engine looks for connections that have been idle for too long, and a little more. */
const ENGINE_SWEEP_MS = 4_200;
/** As many of the clients' requests go to each of two upstreams. */
const HALF = 4;

describe('an upstream process that is stopped (SIGSTOP)', () => {
  let processes: Fixture[];
  let gateway: Gateway;
  let clients: Client[];

  beforeAll(async () => {
    processes = await Promise.all([startFixture('rpc-backend.mjs'), startFixture('rpc-backend.mjs')]);
    gateway = await startGateway({
      config: twoUpstreams(processes, { requestTimeoutMs: REQUEST_TIMEOUT_MS }),
    });
    clients = await connectAll(gateway, 2 * HALF);
    expect(await askWhoami(clients)).toEqual(pidsOf(processes));
  });

  it('costs what it was sent an error -32001, and the others nothing', async () => {
    processes[0]!.signal('SIGSTOP');
    const replies = await Promise.all(clients.map((client, n) => client.call(echo(`stopped ${n}`))));
    replies.forEach((reply, n) => expect(isOwn(reply, `stopped ${n}`), JSON.stringify(reply)).toBe(true));
    const codes = replies.flatMap(({ error }) => (error === undefined ? [] : [error.code]));
    expect(codes).toEqual(Array.from({ length: HALF }, () => -32001));
    await expectBalanced(gateway);
  });

  it('that goes on (SIGCONT) is asked again, and nobody hears its late replies', async () => {
    processes[0]!.signal('SIGCONT');
    await eventually(async () => {
      const page = await gateway.metrics();
      expect(page.sum('wsluice_upstream_dropped_total', { reason: 'unknown-id' })).toBe(HALF);
    });
    expect(clients.map((client) => client.waiting())).toEqual(clients.map(() => 0));
    await eventually(async () => expect(await askWhoami(clients)).toEqual(pidsOf(processes)));
    await expectBalanced(gateway);
  });
});

describe('an upstream process that is killed (SIGKILL)', () => {
  it('costs what was written to it an error -32002 at once; what was not written moves to another', async () => {
    const processes = await Promise.all([startFixture('rpc-backend.mjs'), startFixture('rpc-backend.mjs')]);
    const gateway = await startGateway({ config: twoUpstreams(processes, { balance: 'round-robin' }) });
    // More than the kernel takes for a process that does not read; the rest waits in the gateway.
    const clients = await connectAll(gateway, 64);
    expect(await askWhoami(clients)).toEqual(pidsOf(processes));
    processes[0].signal('SIGSTOP');
    const texts = clients.map((_client, n) => `killed ${n} `.repeat(20_000));
    let ended = 0;
    const ends = clients.map(async (client, n) => {
      const reply = await client.call(echo(texts[n]!), 15_000);
      ended++;
      return reply;
    });
    await eventually(() => expect(ended).toBeGreaterThanOrEqual(clients.length / 4));
    const before = await quiet(() => ended);
    expect(before, 'some wait for the one that is stopped').toBeLessThan(clients.length);

    const killedAtMs = performance.now();
    processes[0].signal('SIGKILL');
    const replies = await Promise.all(ends);
    expect(performance.now() - killedAtMs, 'milliseconds until all had ended').toBeLessThan(5_000);
    replies.forEach((reply, n) =>
      expect(isOwn(reply, texts[n]!), `${n}: ${reply.error?.message}`).toBe(true),
    );
    const codes = replies.flatMap(({ error }) => (error === undefined ? [] : [error.code]));
    expect(new Set(codes), 'written, so that nobody knows').toEqual(new Set([-32002]));
    expect(codes.length, 'some were not written, and moved').toBeLessThan(clients.length - before);
    const ledger = await expectBalanced(gateway);
    expect(ledger.errored).toBe(codes.length);
    expect(await askWhoami(clients), 'who is left').toEqual(new Set([processes[1].pid]));
  });

  it('in session mode ends its own clients with 1012, and nobody else', async () => {
    const processes = await Promise.all([startFixture('rpc-backend.mjs'), startFixture('rpc-backend.mjs')]);
    const gateway = await startGateway({ config: twoUpstreams(processes, { mode: 'session' }) });
    const clients = await connectAll(gateway, 2 * HALF);
    const pids = await askAll(clients);
    expect(new Set(pids)).toEqual(pidsOf(processes));
    processes[0].signal('SIGKILL');
    const own = clients.filter((_client, n) => pids[n] === processes[0].pid);
    expect((await Promise.all(own.map((client) => client.closed))).map(({ code }) => code)).toEqual(
      own.map(() => 1012),
    );
    const others = clients.filter((client) => !own.includes(client));
    expect(await askWhoami(others)).toEqual(new Set([processes[1].pid]));
    const again = await eventually(() => connectAll(gateway, HALF));
    expect(await askWhoami(again)).toEqual(new Set([processes[1].pid]));
  });

  it('in session mode still tells a client why that goes on sending and reads late', async () => {
    const process = await startFixture('rpc-backend.mjs');
    // The shorter the heartbeat, the sooner the engine gives up on what it has ended.
    const gateway = await startGateway({
      args: ['--upstream', process.url],
      config: { heartbeat: { intervalMs: 1_000, timeoutMs: 5_000 } },
    });
    const { client } = await RawClient.upgrade(gateway.port);
    client.socket.pause();
    process.signal('SIGKILL');
    const sending = setInterval(() => client.send(clientFrame('are you there?')), 20);
    await sleep(ENGINE_SWEEP_MS);
    clearInterval(sending);
    client.socket.resume();
    expect(await client.closed).toBe(1012);
  });
});

function twoUpstreams(processes: readonly Fixture[], changes: object): Record<string, unknown> {
  const main = {
    mode: 'request',
    upstreams: processes.map(({ url }) => url),
    minConnections: 2,
    maxConnections: 'mode' in changes ? 100 : 2,
    healthCheckIntervalMs: 0,
    reconnect: { baseDelayMs: 20, maxDelayMs: 100 },
    queue: { maxBytes: 64 << 20, timeoutMs: 20_000 },
    ...changes,
  };
  return { heartbeat: { intervalMs: 0 }, pools: { main } };
}

/** Waits until nothing has changed for a while, and gives what it is then. */
async function quiet(read: () => number): Promise<number> {
  for (;;) {
    const before = read();
    await sleep(300);
    if (read() === before) return before;
  }
}

function connectAll(gateway: Gateway, count: number): Promise<Client[]> {
  return Promise.all(Array.from({ length: count }, () => connectClient(gateway.url)));
}

async function askAll(clients: readonly Client[]): Promise<unknown[]> {
  const whoami = { jsonrpc: '2.0', id: 'who', method: 'whoami' };
  return (await Promise.all(clients.map((client) => client.call(whoami)))).map(({ result }) => result);
}

/** The processes that answer when all of them ask at once. */
async function askWhoami(clients: readonly Client[]): Promise<Set<unknown>> {
  return new Set(await askAll(clients));
}

function pidsOf(processes: readonly Fixture[]): Set<unknown> {
  return new Set(processes.map(({ pid }) => pid));
}

function echo(text: string): object {
  return { jsonrpc: '2.0', id: 1, method: 'echo', params: [text] };
}

/** Its own answer, or an error with its own id. */
function isOwn(reply: Json, text: string): boolean {
  return reply.id === 1 && (reply.error !== undefined || (reply.result as string[])[0] === text);
}
