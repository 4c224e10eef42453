import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { WebSocketServer } from 'ws';
import type { WebSocket } from 'ws';
import { beforeAll, describe, expect, it } from 'vitest';
import { CodecServer } from '../codec/adapter/ws.ts';
import type { CodecSocket } from '../codec/adapter/ws.ts';
import { startBackend } from './support/backend.ts';
import { connectClient } from './support/client.ts';
import type { Client, Received } from './support/client.ts';
import { connectCodecClient } from './support/codec-client.ts';
import { noise, prose } from './support/codec-messages.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced } from './support/ledger.ts';
import { seededRandom } from './support/random.ts';
import { startSessionBackend } from './support/session-backend.ts';
import type { SessionBackend } from './support/session-backend.ts';
import { startTcpRelay } from './support/tcp-relay.ts';
import type { TcpRelay } from './support/tcp-relay.ts';
import { onTearDown } from './support/tear-down.ts';
import { tempDir } from './support/temp-dir.ts';

const CODECS = ['zstd', 'brotli', 'gzip'] as const;
type Codec = (typeof CODECS)[number];
const MIB = 1 << 20;
const codec = { minBytes: 256 };
const random = seededRandom(5);

describe('another wsluice in session mode', () => {
  let backend: SessionBackend;
  let relay: TcpRelay;
  let gateway: Gateway;

  beforeAll(async () => {
    backend = await startSessionBackend({ handleProtocols: (offered) => offered.has('app') && 'app' });
    const listen = { maxBackpressureBytes: 32 * MIB };
    const main = { mode: 'session', upstreams: [backend.url], minConnections: 0 };
    const inner = await startGateway({ config: { listen, codec, pools: { main } } });
    relay = await startTcpRelay(inner.port);
    gateway = await startGateway({
      config: {
        listen,
        codec,
        routes: CODECS.map((name) => ({ path: `/${name}`, pool: name })),
        pools: Object.fromEntries(
          CODECS.map((name) => [
            name,
            { mode: 'session', upstreams: [relay.url], minConnections: 0, codec: name },
          ]),
        ),
      },
    });
  });

  /** Sends `message` and takes the next one, unpacked, whatever the client speaks. */
  type Echo = (message: string | Buffer) => Promise<Received>;

  async function connect(path: string, own: Codec | undefined): Promise<Echo> {
    if (own !== undefined) {
      const client = await connectCodecClient(gateway.at(`${path}?codec=${own}`), { codec: own });
      return (message) => client.echo(message, 10_000);
    }
    const client = await connectClient(gateway.at(path));
    return (message) => {
      client.send(message);
      return client.next(10_000);
    };
  }

  const others: Record<Codec, Codec> = { zstd: 'brotli', brotli: 'gzip', gzip: 'zstd' };

  describe.each(CODECS)('by %s', (name) => {
    it.each([
      ['no codec', undefined],
      ['another', others[name]],
      ['the same', name],
    ])('carries messages of all kinds and sizes of clients that speak %s', async (_, own) => {
      const echo = await connect(`/${name}`, own);
      for (const size of [0, 1, 255, 256, 5_000, 30_000, 300_000, 1_000_000]) {
        const text = prose(size, random).replaceAll('é', 'e');
        for (const message of [text, Buffer.from(text), noise(size >> 2, random)]) {
          const { data, isBinary } = await echo(message);
          expect(data.equals(Buffer.from(message)), `${data.length} of ${message.length} bytes`).toBe(true);
          expect(isBinary).toBe(typeof message !== 'string');
        }
      }
    });

    it('carries what is as large as it may be, and answers larger than what may wait for the thread pool', async () => {
      const client = await connectClient(gateway.at(`/${name}`));
      const largest = noise(MIB, random);
      client.send(largest);
      expect((await client.next()).data.equals(largest)).toBe(true);
      client.send(`!flood ${6 * MIB} 2`);
      for (let n = 0; n < 2; n++) expect((await client.next(20_000)).data).toHaveLength(6 * MIB);
    });

    it('makes fewer bytes of them on the way', async () => {
      const echo = await connect(`/${name}`, undefined);
      const before = relay.bytes();
      for (let n = 0; n < 20; n++) await echo(prose(20_000, random));
      expect(relay.bytes() - before).toBeLessThan((2 * 20 * 20_000) / 2);
    });

    it("leaves the subprotocol to the application's back end", async () => {
      const chosen = await connectClient(gateway.at(`/${name}`), { protocols: ['other', 'app'] });
      expect(chosen.socket.protocol).toBe('app');
      expect(backend.upgrades.at(-1)!.headers['sec-websocket-protocol']).toBe('other, app');
      const none = await connectClient(gateway.at(`/${name}`));
      expect(none.socket.protocol).toBe('');
      expect(backend.upgrades.at(-1)!.headers['sec-websocket-protocol']).toBeUndefined();
      for (const client of [chosen, none]) {
        const text = prose(5_000, random);
        client.send(text);
        expect(await client.nextText()).toBe(text);
      }
    });

    it('passes close codes both ways, after what was said before', async () => {
      const leaving = await connectClient(gateway.at(`/${name}`));
      const noisy = noise(900_000, random);
      leaving.send(noisy);
      leaving.send('last');
      await leaving.close(4_001, 'client');
      await eventually(() => expect(backend.closings.at(-1)).toEqual({ code: 4_001, reason: 'client' }));
      const left = await connectClient(gateway.at(`/${name}`));
      left.send('!flood 300000 3');
      left.send('!close 4002 back end');
      for (let n = 0; n < 3; n++) expect((await left.next()).data).toHaveLength(300_000);
      expect(await left.closed).toEqual({ code: 4_002, reason: 'back end' });
      const cut = await connectClient(gateway.at(`/${name}`));
      cut.send('!terminate');
      expect((await cut.closed).code).toBe(1012);
    });
  });
});

describe('wsluices that speak zstd with dictionaries', () => {
  const one = join(CHECKOUT, 'test/fixtures/codec-client/json-rpc.dict');
  const other = join(tempDir(), 'other.dict');
  const bytes = readFileSync(one);
  bytes.writeUInt32LE(77, 4);
  writeFileSync(other, bytes);

  /** Bytes on the way between two gateways with these dictionaries, for a message and its echo that dictionaries make smaller. */
  async function bytesBetween(inner: string[], outer: string[]): Promise<number> {
    const start = (dictionary: string[], main: object): Promise<Gateway> =>
      startGateway({
        config: {
          codec: { minBytes: 64, zstd: { dictionary: dictionary.length === 0 ? null : dictionary } },
          pools: { main: { mode: 'session', minConnections: 0, ...main } },
        },
      });
    const { port } = await start(inner, { upstreams: ['echo:'] });
    const relay = await startTcpRelay(port);
    const gateway = await start(outer, { upstreams: [relay.url], codec: 'zstd' });
    const client = await connectClient(gateway.url);
    const before = relay.bytes();
    const message =
      '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search","arguments":{}}}';
    client.send(message);
    expect(await client.nextText()).toBe(message);
    return relay.bytes() - before;
  }

  it('use one that both have, else none', async () => {
    const none = await bytesBetween([], []);
    expect(await bytesBetween([one], [one])).toBeLessThan(none);
    expect(await bytesBetween([other, one], [one])).toBeLessThan(none);
    expect(await bytesBetween([one], [other, one])).toBeLessThan(none);
    expect(await bytesBetween([one], [])).toBe(none);
    expect(await bytesBetween([], [one])).toBe(none);
    expect(await bytesBetween([one], [other])).toBe(none);
  }, 120_000);
});

describe('wsluices in request mode', () => {
  const clientCount = 300;
  const rounds = 4;

  it('lose nothing and mix nothing up when one of them is killed: 300 clients that all use the id 1', async () => {
    const backends = [await startJsonRpcBackend({ shuffleEveryMs: 3 }), await startJsonRpcBackend()];
    const inners = await Promise.all(
      backends.map(({ url }) =>
        startGateway({
          config: {
            codec,
            pools: { main: { mode: 'request', upstreams: [url], maxInFlightPerClient: 1_000 } },
          },
        }),
      ),
    );
    const gateway = await startGateway({
      config: {
        codec,
        pools: {
          main: {
            mode: 'request',
            upstreams: inners.map(({ url }) => url),
            codec: 'zstd',
            minConnections: 4,
            maxConnections: 6,
            reconnect: { baseDelayMs: 50 },
            queue: { maxSize: 5_000, timeoutMs: 20_000 },
          },
        },
      },
    });
    const clients = await Promise.all(
      Array.from({ length: clientCount }, (_, n) => connectCaller(gateway, n)),
    );
    const ends = new Map<string, number>();
    let replies = 0;
    await Promise.all(
      clients.map(async (call, client) => {
        for (let round = 0; round < rounds; round++) {
          const size = Math.round(100 * 2_000 ** random());
          const params = [`client ${client} round ${round}`, prose(size, random)];
          const { id, result, error } = await call({ jsonrpc: '2.0', id: 1, method: 'echo', params });
          expect(id).toBe(1);
          if (error === undefined) expect(result).toEqual(params);
          const end = error === undefined ? 'reply' : String(error.code);
          ends.set(end, (ends.get(end) ?? 0) + 1);
          if (error === undefined && ++replies === clientCount) inners[0]!.signal('SIGKILL');
        }
      }),
    );
    expect([...ends.values()].reduce((sum, count) => sum + count)).toBe(clientCount * rounds);
    // What had been written to the one that was killed; the rest moved, or came later.
    expect([...ends.keys()].filter((end) => end !== 'reply' && end !== '-32002')).toEqual([]);
    expect(ends.get('reply')).toBeGreaterThan((clientCount * rounds) / 2);
    expect(ends.get('-32002')).toBeGreaterThan(0);
    await expectBalanced(gateway);
    const page = await gateway.metrics();
    const bytes = (stage: string): number =>
      page.sum('wsluice_codec_bytes_total', { codec: 'zstd', direction: 'encode', stage });
    expect(bytes('packed')).toBeLessThan(bytes('plain') / 2);
  });

  type Call = (request: object) => ReturnType<Client['nextJson']>;

  /** A third of the clients speaks no codec, a third the one of the upstreams, a third another. */
  async function connectCaller(gateway: Gateway, n: number): Promise<Call> {
    const own = ([undefined, 'zstd', 'gzip'] as const)[n % 3];
    if (own === undefined) {
      const client = await connectClient(gateway.url);
      return (request) => client.call(request, 20_000);
    }
    const client = await connectCodecClient(`${gateway.url}?codec=${own}`, { codec: own });
    return async (request) => {
      const { data } = await client.echo(JSON.stringify(request), 20_000);
      return JSON.parse(data.toString()) as Awaited<ReturnType<Call>>;
    };
  }
});

describe('a back end of the ws package with our adapter', () => {
  let sockets: CodecSocket[];
  let relay: TcpRelay;
  let gateway: Gateway;

  beforeAll(async () => {
    sockets = [];
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0, maxPayload: 4 * MIB });
    const codecServer = new CodecServer(server, codec);
    server.on('connection', (raw, request) => {
      const socket = codecServer.connect(raw, request);
      sockets.push(socket);
      socket.onMessage = (data, isBinary) => {
        const text = data.toString();
        if (!isBinary && text.startsWith('{')) socket.send(answerTo(text));
        else if (text === 'leave') socket.close(4_003, 'as you like');
        else socket.send(isBinary ? data : text);
      };
    });
    await once(server, 'listening');
    onTearDown(() => {
      for (const socket of server.clients) socket.terminate();
      server.close();
    });
    relay = await startTcpRelay((server.address() as AddressInfo).port, '/');
    const pool = { upstreams: [relay.url], minConnections: 0 };
    gateway = await startGateway({
      config: {
        codec,
        routes: [
          ...CODECS.map((name) => ({ path: `/${name}`, pool: name })),
          { path: '/rpc', pool: 'rpc' },
          { path: '/plain', pool: 'plain' },
        ],
        pools: {
          ...Object.fromEntries(CODECS.map((name) => [name, { ...pool, mode: 'session', codec: name }])),
          rpc: { ...pool, mode: 'request', codec: 'zstd' },
          plain: { ...pool, mode: 'session' },
        },
      },
    });
  });

  it.each(CODECS)('speaks %s', async (name) => {
    const client = await connectClient(gateway.at(`/${name}`), { protocols: ['app'] });
    expect(client.socket.protocol).toBe('app');
    expect(sockets.at(-1)!.codec).toBe(name);
    const messages = [prose(100_000, random), 'small', Buffer.from(prose(400_000, random)), ''];
    const before = relay.bytes();
    for (const message of messages) client.send(message);
    for (const message of messages) {
      const { data, isBinary } = await client.next();
      expect(data.equals(Buffer.from(message))).toBe(true);
      expect(isBinary).toBe(typeof message !== 'string');
    }
    expect(relay.bytes() - before).toBeLessThan(500_000);
    client.send('leave');
    expect(await client.closed).toEqual({ code: 4_003, reason: 'as you like' });
  });

  it('answers JSON-RPC', async () => {
    const client = await connectClient(gateway.at('/rpc'));
    const params = [prose(150_000, random)];
    expect(await client.call({ jsonrpc: '2.0', id: 'a', method: 'echo', params })).toMatchObject({
      id: 'a',
      result: params,
    });
  });

  it('is plain to a pool without a codec', async () => {
    const client = await connectClient(gateway.at('/plain'));
    const text = prose(50_000, random);
    client.send(text);
    expect(await client.nextText()).toBe(text);
    expect(sockets.at(-1)!.codec).toBeUndefined();
  });
});

describe('an upstream that knows nothing of codecs', () => {
  type Choose = (offered: Set<string>) => string | false;
  const first: Choose = ([offered]) => offered ?? false;

  async function startBefore(choose: Choose, onMessage: (socket: WebSocket, message: Received) => void) {
    const backend = await startBackend({
      handleProtocols: choose,
      onConnection: (socket) =>
        socket.on('message', (data, isBinary) => onMessage(socket, { data: data as Buffer, isBinary })),
    });
    const main = { mode: 'session', upstreams: [backend.url], minConnections: 0, codec: 'zstd' };
    const gateway = await startGateway({ config: { codec, pools: { main } } });
    return { backend, gateway };
  }

  it.each<[string, Choose, string[], string]>([
    ['chooses no subprotocol', () => false, [], ''],
    ["chooses the application's", first, ['app', 'other'], 'app'],
    ["chooses the codec's without knowing it, for it is offered first", first, [], ''],
  ])('is spoken to plainly when it %s', async (_, choose, protocols, protocol) => {
    const heard: Received[] = [];
    const { gateway } = await startBefore(choose, (socket, message) => {
      heard.push(message);
      socket.send(Buffer.concat([Buffer.of(1), message.data]));
    });
    const client = await connectClient(gateway.url, { protocols });
    expect(client.socket.protocol).toBe(protocol);
    const text = prose(5_000, random);
    client.send(text);
    expect((await client.next()).data.subarray(1).toString()).toBe(text);
    expect(heard).toEqual([{ data: Buffer.from(text), isBinary: false }]);
  });

  it('refuses the connection when it is a wsluice that does not offer the codec', async () => {
    const inner = await startGateway({ config: { codec: { offer: ['gzip'] } } });
    const main = { mode: 'session', upstreams: [inner.url], minConnections: 0, codec: 'zstd' };
    const gateway = await startGateway({ config: { pools: { main } } });
    await expect(connectClient(gateway.url)).rejects.toThrow('refused with 400');
  });
});

function answerTo(text: string): string {
  const { id, params } = JSON.parse(text) as { id: unknown; params: unknown };
  return JSON.stringify({ jsonrpc: '2.0', id, result: params });
}
