import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { freePort } from '../test/support/free-port.ts';
import { MetricsPage } from '../test/support/metrics-page.ts';
import { clientFrame, OPCODE, RawClient, upgradeRequest } from '../test/support/raw-client.ts';
import { onTearDown } from '../test/support/tear-down.ts';
import type { ConfigInput } from './config/schema.ts';
import { createGateway, type Gateway } from './gateway.ts';
import { answersAt } from './shared-port.ts';

const run = promisify(execFile);
const open: Gateway[] = [];
afterEach(() => {
  for (const gateway of open.splice(0)) gateway.stop();
});

const loopback = { host: '127.0.0.1', port: 0 };

async function start({ listen, admin, ...config }: ConfigInput = {}): Promise<Gateway> {
  const gateway = await createGateway({
    config: { ...config, listen: { ...loopback, ...listen }, admin: { ...loopback, ...admin } },
    log: pino({ level: 'silent' }),
  });
  open.push(gateway);
  return gateway;
}

/** A TCP server that takes connections and says nothing, so that a dial to it goes on for ever. */
async function silentServer(): Promise<{ server: Server; port: number; url: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onTearDown(() => {
      socket.destroy();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTearDown(() => void server.close());
  const { port } = server.address() as AddressInfo;
  return { server, port, url: `ws://127.0.0.1:${port}` };
}

async function connect(gateway: Gateway): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port}/ws`);
  await once(client, 'open');
  return client;
}

/** Waits until nobody listens on a port. */
async function untilClosed(port: number): Promise<void> {
  while (await answersAt('127.0.0.1', port)) await new Promise((resolve) => setTimeout(resolve, 5));
}

async function metrics(gateway: Gateway): Promise<MetricsPage> {
  return new MetricsPage(await (await fetch(`http://127.0.0.1:${gateway.adminPort}/metrics`)).text());
}

async function statusOf(gateway: Gateway, method = 'GET'): Promise<number> {
  const client = await RawClient.connect(gateway.port);
  client.send(upgradeRequest(gateway.port, { method }));
  const { status } = await client.answer();
  client.destroy();
  return status;
}

/** A session backend of `ws`, and the next connection to it. */
async function backend(): Promise<{ url: string; connection: Promise<WebSocket> }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  onTearDown(() => server.close());
  const { port } = server.address() as AddressInfo;
  const connection = once(server, 'connection').then(([socket]) => socket as WebSocket);
  return { url: `ws://127.0.0.1:${port}`, connection };
}

/** Runs a script that has `createGateway`, `config` and `log` in a process of its own; throws when that does not end by itself. */
async function inChild(script: string, takenPort = 0): Promise<string> {
  const source = `
    import { createServer } from 'node:net';
    import { pino } from 'pino';
    import { createGateway } from ${JSON.stringify(new URL('./gateway.ts', import.meta.url).href)};
    const log = pino({ level: 'silent' });
    const loopback = { host: '127.0.0.1', port: 0 };
    const taken = { host: '127.0.0.1', port: ${takenPort} };
    const config = { listen: loopback, admin: loopback, drain: { spreadMs: 0, timeoutMs: 0 } };
    ${script}`;
  const flags = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', source];
  const { stdout } = await run(process.execPath, flags, { timeout: 20_000, killSignal: 'SIGKILL' });
  return stdout.trim();
}

describe('a gateway as a library', () => {
  it('starts on free ports, serves, and frees both ports when it stops', async () => {
    const gateway = await start({ listen: { port: await freePort() } });
    const client = await connect(gateway);
    client.send('hello');
    expect(String((await once(client, 'message'))[0])).toBe('hello');
    const closed = once(client, 'close');
    gateway.stop();
    await closed;
    for (const port of [gateway.port, gateway.adminPort]) {
      await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
    }
    const again = await start({ listen: { port: gateway.port }, admin: { port: gateway.adminPort } });
    expect([again.port, again.adminPort]).toEqual([gateway.port, gateway.adminPort]);
    expect(await statusOf(again)).toBe(101);
  });

  it('drains: everybody is told 1001, and then it is stopped', async () => {
    const gateway = await start();
    const clients = await Promise.all(Array.from({ length: 10 }, () => connect(gateway)));
    const codes = clients.map(async (client) => (await once(client, 'close'))[0] as number);
    await gateway.drain();
    expect(await Promise.all(codes)).toEqual(clients.map(() => 1001));
    await expect(RawClient.connect(gateway.port)).rejects.toThrow('ECONNREFUSED');
  });

  it('can be stopped and drained more than once, in any order', async () => {
    const gateway = await start();
    await connect(gateway);
    await Promise.all([gateway.drain(), gateway.drain()]);
    gateway.stop();
    gateway.stop();
    await gateway.drain();
  });

  it('can be stopped in the middle of a drain', async () => {
    const gateway = await start({ drain: { spreadMs: 60_000, timeoutMs: 60_000 } });
    const clients = await Promise.all(Array.from({ length: 200 }, () => connect(gateway)));
    for (const client of clients) client.on('error', () => undefined);
    const drained = gateway.drain();
    gateway.stop();
    await drained;
  });

  it('is not ready before its port is open, and says so when another process has that port too', async () => {
    const lines: unknown[] = [];
    const log = pino({ level: 'warn' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
    const config = { listen: { host: '127.0.0.1', port: await freePort() }, admin: { port: 0 } };
    const one = await createGateway({ config, log });
    onTearDown(() => one.stop());
    expect(lines).toEqual([]);
    const other = await createGateway({ config, log });
    onTearDown(() => other.stop());
    expect(lines).toMatchObject([
      { port: one.port, msg: expect.stringMatching(/^another process/) as string },
    ]);
    expect((await fetch(`http://127.0.0.1:${other.adminPort}/ready`)).status).toBe(200);
  });

  it('runs beside another one in the same process', async () => {
    const [one, other] = [await start(), await start()];
    await connect(one);
    expect((await metrics(one)).sum('websocket_connections_total')).toBe(1);
    expect((await metrics(other)).sum('websocket_connections_total')).toBe(0);
    one.stop();
    expect(await statusOf(other)).toBe(101);
  });

  it.each(['session', 'request'])(
    'leaves nothing behind that keeps a process alive, in %s mode',
    async (mode) => {
      const { url } = await silentServer();
      const pools = `{ echo: {}, real: { mode: '${mode}', upstreams: ['${url}', 'ws://127.0.0.1:1'], minConnections: 2 } }`;
      const routes = `[{ path: '/echo', pool: 'echo' }, { path: '/real', pool: 'real' }]`;
      const settings = `{ ...config, pools: ${pools}, routes: ${routes} }`;
      const stopped = `const gateway = await createGateway({ config: ${settings}, log }); gateway.stop(); console.log('stopped');`;
      expect(await inChild(stopped)).toBe('stopped');
      const drained = `const gateway = await createGateway({ config: ${settings}, log }); await gateway.drain(); console.log('drained');`;
      expect(await inChild(drained)).toBe('drained');
    },
    50_000,
  );

  it.each(['listen', 'admin'])(
    'leaves nothing behind when the port of %s is taken',
    async (key) => {
      const { port } = await silentServer();
      const script = `await createGateway({ config: { ...config, ${key}: taken }, log }).catch(({ code }) => console.log(code));`;
      expect(await inChild(script, port)).toBe('WSLUICE_LISTEN');
    },
    30_000,
  );
});

describe('a client of the gateway', () => {
  it.each(['get', 'Get', 'gET'])(
    'with the method %s, which is not GET, is refused and holds no place',
    async (method) => {
      const gateway = await start({ listen: { maxConnections: 1 } });
      for (let i = 0; i < 3; i++) {
        const status = await statusOf(gateway, method);
        expect([400, 404, 405, 501]).toContain(status);
      }
      expect(await statusOf(gateway)).toBe(101);
    },
  );

  it('with that method in front of a real upstream is refused and holds no place either', async () => {
    const { url } = await backend();
    const gateway = await start({ listen: { maxConnections: 1 }, pools: { main: { upstreams: [url] } } });
    expect([400, 404, 405, 501]).toContain(await statusOf(gateway, 'get'));
    expect(await statusOf(gateway)).toBe(101);
  });

  it.each([1000, 1013, 3000, 3999, 4000])(
    'that closes with %i in session mode says goodbye to its upstream, too',
    async (code) => {
      const { url, connection } = await backend();
      const gateway = await start({ pools: { main: { upstreams: [url] } } });
      const client = await connect(gateway);
      const upstream = await connection;
      client.close(code, 'bye');
      const [seen] = (await once(upstream, 'close')) as [number];
      // The engine does not tell some of the codes; then the goodbye has none, which is no loss of the connection.
      expect([code, 1005]).toContain(seen);
    },
  );

  it('that is connected when a drain begins is still let in, has its answer, and is told 1001', async () => {
    const gateway = await start();
    const client = await RawClient.connect(gateway.port);
    const drained = gateway.drain();
    await untilClosed(gateway.port);
    client.send(upgradeRequest(gateway.port));
    expect((await client.answer()).status).toBe(101);
    expect(await client.closed).toBe(1001);
    await drained;
  });

  it('that is connected and does not ask for anything holds up a drain for no longer than its timeout', async () => {
    const gateway = await start({ drain: { timeoutMs: 100 } });
    const client = await RawClient.connect(gateway.port);
    await gateway.drain();
    await client.closed;
  });

  it('whose upstream is still being dialled when a drain has waited for it is answered 503', async () => {
    const { server, url } = await silentServer();
    const gateway = await start({ pools: { main: { upstreams: [url] } } });
    const dialled = once(server, 'connection');
    const client = await RawClient.connect(gateway.port);
    client.send(upgradeRequest(gateway.port));
    await dialled;
    await gateway.drain();
    expect((await client.answer()).status).toBe(503);
  });

  it('that pings and never reads is ended, like any other that is too slow', async () => {
    const gateway = await start({ listen: { maxBackpressureBytes: 65_536 } });
    const { client } = await RawClient.upgrade(gateway.port);
    client.socket.pause();
    const ping = clientFrame('x'.repeat(125), { opcode: OPCODE.ping });
    const pings = Buffer.concat(new Array<Buffer>(8_000).fill(ping));
    const maxBytes = 40_000_000;
    let sentBytes = 0;
    let connections = 1;
    while (connections > 0 && (sentBytes < maxBytes || client.socket.writableLength > 0)) {
      if (sentBytes < maxBytes) client.send(pings);
      sentBytes += pings.length;
      connections = (await metrics(gateway)).sum('websocket_connections_total');
    }
    client.destroy();
    expect(connections).toBe(0);
  });
});
