import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer, type ServerOptions } from 'ws';
import { onTearDown } from '../../test/support/tear-down.ts';
import { CodecWebSocket } from '../client/codec-web-socket.ts';
import { registry } from '../registry.ts';
import { CodecServer, type CodecServerOptions, type CodecSocket } from './ws.ts';

const codecs = ['zstd', 'brotli', 'gzip'] as const;
const dictionary = readFileSync(new URL('../../test/fixtures/codec-client/json-rpc.dict', import.meta.url));
const text = (length: number): string =>
  Array.from({ length: length >> 2 }, (_, n) => `${n * 7919} é`)
    .join(' ')
    .slice(0, length);

/** A `ws` server with codecs that echoes, and what it was told of its connections. */
async function startServer(
  options: CodecServerOptions = {},
  {
    onMessage,
    ...wsOptions
  }: ServerOptions & { onMessage?: (socket: CodecSocket, data: Buffer) => void } = {},
) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...wsOptions });
  const codecServer = new CodecServer(server, options);
  const sockets: CodecSocket<WebSocket>[] = [];
  const told: string[] = [];
  server.on('connection', (raw, request) => {
    const socket = codecServer.connect(raw, request);
    sockets.push(socket);
    socket.onMessage = (data, isBinary) => {
      told.push(`${data.length} ${isBinary ? 'bytes' : 'text'}`);
      if (onMessage !== undefined) onMessage(socket, data);
      else socket.send(isBinary ? data : data.toString());
    };
    socket.onClose = (code, reason) => told.push(`closed ${code} ${reason}`);
  });
  await once(server, 'listening');
  onTearDown(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, sockets, told };
}

/** What the server answers to a handshake. */
async function handshake(url: string, protocols = ''): Promise<readonly [protocol: unknown, codec: unknown]> {
  const headers = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...(protocols === '' ? {} : { 'sec-websocket-protocol': protocols }),
  };
  const request = get(url.replace('ws:', 'http:'), { headers });
  const [response, socket] = (await once(request, 'upgrade')) as [IncomingMessage, Socket];
  onTearDown(() => {
    socket.destroy();
  });
  return [response.headers['sec-websocket-protocol'], response.headers['wsluice-codec']];
}

async function connect(url: string, codec?: (typeof codecs)[number]): Promise<CodecWebSocket> {
  const socket = new CodecWebSocket(url, [], { codec, minBytes: 100 });
  socket.binaryType = 'arraybuffer';
  await once(socket, 'open');
  onTearDown(() => socket.close());
  return socket;
}

async function receive(socket: CodecWebSocket, count: number): Promise<(string | Buffer)[]> {
  const messages: (string | Buffer)[] = [];
  while (messages.length < count) {
    const [{ data }] = (await once(socket, 'message')) as [{ data: string | ArrayBuffer }];
    messages.push(typeof data === 'string' ? data : Buffer.from(data));
  }
  return messages;
}

describe('the handshake', () => {
  it.each([
    ['a codec by subprotocol', 'wsluice.gzip', '', ['wsluice.gzip', 'gzip']],
    [
      'the first that is known',
      'wsluice.lz4, wsluice.brotli, wsluice.gzip',
      '',
      ['wsluice.brotli', 'brotli'],
    ],
    ["an application's subprotocol beside it", 'app, other, wsluice.zstd', '', ['app', 'zstd']],
    ['a codec by URL', '', '/?x=1&codec=zstd', [undefined, 'zstd']],
    ['none that is known', 'app, wsluice.lz4', '', ['app', undefined]],
    ['none that is known, and nothing else', 'wsluice.lz4', '', [undefined, undefined]],
    ['nothing', '', '', [undefined, undefined]],
  ])('agrees to %s', async (_, protocols, path, answer) => {
    const { url } = await startServer();
    expect(await handshake(url + path, protocols)).toEqual(answer);
  });

  it("leaves the choice of the application's subprotocol to the application", async () => {
    const asked: string[][] = [];
    const handleProtocols = (offered: Set<string>): string | false => {
      asked.push([...offered]);
      return offered.has('b') && 'b';
    };
    const { url } = await startServer({}, { handleProtocols });
    expect(await handshake(url, 'a, b, wsluice.gzip')).toEqual(['b', 'gzip']);
    expect(await handshake(url, 'a, wsluice.gzip')).toEqual(['wsluice.gzip', 'gzip']);
    expect(await handshake(url, 'a')).toEqual([undefined, undefined]);
    expect(asked).toEqual([['a', 'b'], ['a'], ['a']]);
  });

  it('offers only what it is told to', async () => {
    const { url } = await startServer({ codecs: ['brotli'] });
    expect(await handshake(url, 'wsluice.gzip, wsluice.brotli')).toEqual(['wsluice.brotli', 'brotli']);
    expect(await handshake(url, 'wsluice.gzip')).toEqual([undefined, undefined]);
  });
});

describe.each(codecs)('messages by %s', (codec) => {
  it('come and go as they are, in their order, whatever their size', async () => {
    const { url, sockets, told } = await startServer({ minBytes: 100 });
    const socket = await connect(url, codec);
    const messages = [
      '',
      'small',
      text(2_000_000),
      Buffer.from(text(300_000)),
      'x',
      text(5_000),
      Buffer.alloc(0),
    ];
    const echoed = receive(socket, messages.length);
    for (const message of messages) socket.send(message);
    expect((await echoed).every((message, n) => Buffer.from(message).equals(Buffer.from(messages[n]!)))).toBe(
      true,
    );
    expect(told).toEqual(
      messages.map((message) =>
        typeof message === 'string' ? `${Buffer.byteLength(message)} text` : `${message.length} bytes`,
      ),
    );
    expect(sockets[0]!.codec).toBe(codec);
  });

  it('are all sent before a goodbye that was said after them, and told before the one that came after', async () => {
    const { url, told } = await startServer(
      {},
      {
        onMessage: (socket, data) => {
          socket.send(data.toString());
          socket.send('last');
          socket.close(4001, 'enough');
        },
      },
    );
    const socket = await connect(url, codec);
    const closed = once(socket, 'close');
    const messages = receive(socket, 2);
    socket.send(text(3_000_000));
    expect((await messages).map(({ length }) => length)).toEqual([text(3_000_000).length, 4]);
    expect((await closed)[0]).toMatchObject({ code: 4001, reason: 'enough' });
    const leaving = await connect(url, codec);
    leaving.send(text(3_000_000));
    leaving.close(4002, 'bye');
    await expect.poll(() => told.at(-1)).toBe('closed 4002 bye');
    expect(told.at(-2)).toBe(`${Buffer.byteLength(text(3_000_000))} text`);
  });

  it.each([
    ['garbage', 1007, Buffer.from('\x01garbage')],
    ['more than it may be', 1009, undefined],
  ])('close the connection when they are %s', async (_, code, bad) => {
    const settings = { gzip: { level: 6 }, brotli: { quality: 4 }, zstd: { level: 3, dictionaries: [] } };
    const bomb = (): Buffer =>
      Buffer.concat([Buffer.of(1), registry[codec](settings).encode(Buffer.alloc(1_000_000))]);
    const { url, told } = await startServer({ maxDecodedBytes: 100_000 });
    const socket = new WebSocket(`${url}/?codec=${codec}`);
    await once(socket, 'open');
    socket.send(bad ?? bomb());
    socket.send('after');
    expect((await once(socket, 'close'))[0]).toBe(code);
    await expect.poll(() => told.length).toBe(1);
    expect(told[0]).toMatch(`closed ${code}`);
  });
});

it('packs with a dictionary that both sides have', async () => {
  const { url } = await startServer({ minBytes: 50, dictionaries: [dictionary] });
  const socket = new CodecWebSocket(url, [], { codec: 'zstd', minBytes: 50, dictionaries: [dictionary] });
  await once(socket, 'open');
  onTearDown(() => socket.close());
  const message = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search","arguments":{}}}';
  const echoed = receive(socket, 1);
  socket.send(message);
  expect(await echoed).toEqual([message]);
});

it('lets clients without a codec be', async () => {
  const { url, sockets } = await startServer();
  const socket = await connect(url);
  const echoed = receive(socket, 2);
  socket.send(text(20_000));
  socket.send(Buffer.from('\x01bytes'));
  expect(await echoed).toEqual([text(20_000), Buffer.from('\x01bytes')]);
  expect(sockets[0]!.codec).toBeUndefined();
});
