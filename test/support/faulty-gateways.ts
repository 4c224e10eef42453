import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connectClient, type Client } from './client.ts';
import { asGateway, CHECKOUT, configFile, runWsluice, startGateway, type Gateway } from './gateway.ts';
import { startBackend } from './backend.ts';
import { startChild, waitForPort, type Child } from './child.ts';
import { every } from './every.ts';
import { freePort } from './free-port.ts';
import { startJsonRpcBackend } from './json-rpc-backend.ts';
import { chat } from './observed-gateway.ts';
import { askAdmin } from './operations-api.ts';
import { wsluiceCommand } from './program/wsluice.ts';
import { askUpgrade } from './raw-client.ts';
import type { RedisServer } from './redis.ts';
import { onTearDown } from './tear-down.ts';
import { request } from './volley.ts';

const routesTo = (...pools: string[]): object[] => pools.map((pool) => ({ path: `/${pool}`, pool }));
const clientsOf = (gateway: Gateway, path: string, count: number): Promise<Client[]> =>
  Promise.all(Array.from({ length: count }, () => connectClient(gateway.at(path))));

/** Slow replies in one pool, no room in another, as many clients as it may have, and an event loop that stands still now and then. */
export async function startSlowGateway(): Promise<Gateway> {
  const { url } = await startJsonRpcBackend();
  const pool = { mode: 'request', upstreams: [url], requestTimeoutMs: 600_000 };
  const gateway = await startGateway({
    config: {
      listen: { maxConnections: 4 },
      routes: routesTo('slow', 'tiny'),
      pools: {
        slow: pool,
        tiny: { ...pool, maxConnections: 1, maxInFlightPerConnection: 2, queue: { timeoutMs: 600_000 } },
      },
    },
  });
  const [slow, tiny] = [await connectClient(gateway.at('/slow')), await connectClient(gateway.at('/tiny'))];
  chat(slow, (n) => request(n, 'late', { ms: 1_100 }));
  for (let id = 0; id < 5; id++) tiny.send(request(id, 'never'));
  await clientsOf(gateway, '/slow', 2);
  every(500, () => askUpgrade(gateway.port, { path: '/slow' }));
  every(900, () => {
    gateway.signal('SIGSTOP');
    setTimeout(() => gateway.signal('SIGCONT'), 300);
  });
  onTearDown(() => gateway.signal('SIGCONT'));
  return gateway;
}

/** Errors, refusals by limits, an upstream that is not there, one that breaks connections, one that fails, and a Redis that dies. */
export async function startFailingGateway(redis: RedisServer): Promise<Gateway> {
  const well = await Promise.all([1, 2, 3].map(() => startJsonRpcBackend()));
  const failing = await startFailingBackend();
  const breaking = await startBackend({
    onConnection: (socket) => void setTimeout(() => socket.terminate(), 300),
  });
  const pool = { mode: 'request', reconnect: { baseDelayMs: 10, maxDelayMs: 50 } };
  const gateway = await startGateway({
    config: {
      redis: { url: redis.url },
      rateLimits: [{ scope: 'method', match: 'limited', strategy: 'token-bucket', requestsPerSecond: 0.001 }],
      routes: routesTo('well', 'outliers', 'breaking', 'dead'),
      pools: {
        well: { ...pool, upstreams: [well[0]!.url] },
        outliers: {
          ...{ ...pool, balance: 'round-robin' },
          ...{ upstreams: [...well.map(({ url }) => url), failing.url], minConnections: 4 },
        },
        breaking: { upstreams: [breaking.url], breaker: { failureThreshold: 1_000_000 } },
        dead: {
          ...{ upstreams: [`ws://127.0.0.1:${await freePort()}`], minConnections: 1 },
          ...{ breaker: { failureThreshold: 1 }, reconnect: pool.reconnect },
        },
      },
    },
  });
  const [garbled, limited, asker] = await clientsOf(gateway, '/well', 3);
  chat(garbled!, () => 'this is not JSON');
  chat(limited!, (n) => request(n, 'limited'));
  chat(asker!, (n) => request(n));
  for (const client of await clientsOf(gateway, '/outliers', 4)) chat(client, (n) => request(n));
  every(200, () => connectClient(gateway.at('/breaking')));
  every(200, () => askUpgrade(gateway.port, { path: '/dead' }));
  await redis.kill();
  return gateway;
}

/** Answers every request with an internal error. */
function startFailingBackend(): ReturnType<typeof startBackend> {
  return startBackend({
    onConnection: (socket) => {
      socket.on('message', (data: Buffer) => {
        const { id } = JSON.parse(data.toString()) as { id: number };
        const error = { code: -32603, message: 'Internal error' };
        socket.send(JSON.stringify({ jsonrpc: '2.0', id, error }));
      });
    },
  });
}

const starvedHeap = 64;
const starvedDescriptors = 128;

/** A paused pool whose requests fill a small heap, and few file descriptors. */
export async function startStarvedGateway(): Promise<Gateway> {
  const { url } = await startJsonRpcBackend();
  const patient = { maxInFlightPerClient: 1_000_000, requestTimeoutMs: 600_000 };
  const config = configFile({
    codec: { brotli: { quality: 11 } },
    heartbeat: { intervalMs: 0 },
    routes: routesTo('echo', 'paused'),
    pools: {
      echo: {},
      paused: {
        ...{ mode: 'request', upstreams: [url], ...patient },
        queue: { maxSize: 1_000_000, maxBytes: 1e9, maxBytesPerClient: 1e9, timeoutMs: 600_000 },
      },
    },
  });
  const [port, adminPort] = [await freePort(), await freePort()];
  const ports = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)];
  const limited = `ulimit -n ${starvedDescriptors} && exec "$0" "$@"`;
  const child = startChild('sh', ['-c', limited, ...wsluiceCommand(), '--config', config, ...ports], {
    cwd: CHECKOUT,
    env: { NODE_OPTIONS: `--max-old-space-size=${starvedHeap} --max-semi-space-size=1` },
  });
  await waitForPort(child, adminPort);
  const gateway = asGateway(child, port, adminPort);
  await askAdmin(gateway, 'POST', '/api/pools/paused/pause?timeoutMs=1000');
  fillHeap(gateway, await connectClient(gateway.at('/paused')));
  for (let held = 0; held < 80; held++) await holdConnection(adminPort);
  return gateway;
}

/** Opens a connection that says nothing, and again whenever it is closed: the cap on clients does not hold where operators are let in. */
async function holdConnection(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  let over = false;
  onTearDown(() => {
    over = true;
    socket.destroy();
  });
  socket.on('error', () => undefined).resume();
  socket.once('close', () => over || void holdConnection(port));
  await once(socket, 'connect').catch(() => undefined);
}

/** A request that waits takes so much of the heap, about. */
const requestBytes = 700;
const fullShare = 0.86;

/** Sends requests that have to wait until they fill the heap nearly, and goes on whenever room is left: each time half of what is missing. */
function fillHeap(gateway: Gateway, client: Client): void {
  let id = 0;
  every(250, async () => {
    const page = await gateway.metrics();
    if (page.sum('wsluice_pool_waiting') < id) return;
    const limit = page.sum('wsluice_heap_limit_bytes');
    const missing = fullShare * limit - page.sum('nodejs_heap_size_used_bytes');
    for (const last = id + missing / requestBytes / 2; id < last; id++) client.send(request(id));
  });
}

/** Has a gateway that packs as hard as it can do so all the time, for a client in a process of its own, which is returned. */
export function keepBusy(gateway: Gateway): Child {
  const script = join(CHECKOUT, 'test/fixtures/busy-client.mjs');
  return startChild(process.execPath, [script, gateway.at('/echo?codec=brotli')]);
}

/** A gateway that is killed and started again on the same ports. */
export interface MortalGateway {
  readonly adminPort: number;
  restart(): Promise<void>;
  kill(): Promise<void>;
}

export async function startMortalGateway(): Promise<MortalGateway> {
  const adminPort = await freePort();
  const args = ['--host', '127.0.0.1', '--port', String(await freePort()), '--admin-port', String(adminPort)];
  const start = async (): Promise<Child> => {
    const child = runWsluice(args);
    await waitForPort(child, adminPort);
    return child;
  };
  let child = await start();
  const kill = async (): Promise<void> => {
    await child.stop('SIGKILL');
  };
  return {
    adminPort,
    kill,
    restart: async () => {
      await kill();
      child = await start();
    },
  };
}
