import type { IncomingHttpHeaders } from 'node:http';
import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { Dialer, plainDial, type DialError, type DialerOptions, type DialRequest } from './dial.ts';
import { Endpoint } from './endpoint.ts';
import { noHeartbeat } from './modes/fake-upstream.fixture.ts';
import { pack, ToyUpstreamCodec, unpack } from './toy-upstream-codec.fixture.ts';
import { Turn } from './turn.ts';
import type { UpstreamConnection } from './upstream.ts';
import { BufferPool } from './wire/buffer-pool.ts';

const cleanUps: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function dialer(options: Partial<DialerOptions> = {}): Dialer {
  return new Dialer({
    maxMessageBytes: 65_536,
    maxFragments: 16,
    maxBufferedBytes: 65_536,
    connectTimeoutMs: 5_000,
    tls: { ca: null, rejectUnauthorized: true },
    turn: new Turn({ onError: rethrow }),
    buffers: new BufferPool(),
    heartbeat: noHeartbeat,
    readBuffer: Buffer.alloc(65_536),
    codec: undefined,
    onError: rethrow,
    ...options,
  });
}

function rethrow(error: unknown): void {
  throw error;
}

type Outcome = { upstream: UpstreamConnection; error?: never } | { upstream?: never; error: DialError };

function dial(endpoint: Endpoint, request: DialRequest = plainDial, by = dialer()): Promise<Outcome> {
  return new Promise((resolve) => {
    by.dial(endpoint, request, {
      onOpen: (upstream) => {
        cleanUps.push(() => upstream.destroy());
        resolve({ upstream });
      },
      onFailure: (error) => resolve({ error }),
    });
  });
}

/** A WebSocket server of the ws package that tells what it was asked. */
async function startWs(options: ServerOptions = {}): Promise<{ url: string; server: WebSocketServer }> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, ...options });
  await new Promise((resolve) => server.once('listening', resolve));
  cleanUps.push(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`, server };
}

/** A TCP server that does what it is told with each connection. */
async function startTcp(onConnection: (socket: Socket) => void, path?: string): Promise<string> {
  const server: Server = createServer((socket) => {
    socket.on('error', () => undefined);
    cleanUps.push(() => {
      socket.destroy();
    });
    onConnection(socket);
  });
  await new Promise<void>((resolve) => {
    if (path === undefined) server.listen(0, '127.0.0.1', resolve);
    else server.listen(path, resolve);
  });
  cleanUps.push(() => {
    server.close();
  });
  return path === undefined ? `ws://127.0.0.1:${(server.address() as AddressInfo).port}` : `ws+unix:${path}`;
}

function requestOf(
  server: WebSocketServer,
): Promise<{ socket: WebSocket; url: string; headers: IncomingHttpHeaders }> {
  return new Promise((resolve) => {
    server.once('connection', (socket, { url, headers }) => resolve({ socket, url: url ?? '', headers }));
  });
}

describe('Dialer', () => {
  it('opens a connection that carries messages both ways', async () => {
    const { url, server } = await startWs();
    const asked = requestOf(server);
    const { upstream } = await dial(new Endpoint({ url, trusted: false }));
    const { socket } = await asked;
    const heard = new Promise((resolve) =>
      socket.once('message', (data: Buffer) => resolve(data.toString())),
    );
    upstream!.send(Buffer.from('hello'), 0, 5, false);
    expect(await heard).toBe('hello');
    const said = new Promise((resolve) => {
      upstream!.owner = {
        onUpstreamMessage: (buf, start, end) => resolve(Buffer.from(buf.subarray(start, end)).toString()),
        onUpstreamGone: () => undefined,
        onUpstreamWritable: () => undefined,
      };
    });
    socket.send('hi');
    expect(await said).toBe('hi');
  });

  it('passes on subprotocols, headers and query, and says which subprotocol was chosen', async () => {
    const { url, server } = await startWs();
    const asked = requestOf(server);
    const request = { protocols: ['a', 'b'], headers: [['cookie', 'c=1']] as const, query: 'y=2' };
    const { upstream } = await dial(new Endpoint({ url: `${url}/path?x=1`, trusted: false }), request);
    const { url: target, headers } = await asked;
    expect(target).toBe('/path?x=1&y=2');
    expect(headers).toMatchObject({ cookie: 'c=1', 'sec-websocket-protocol': 'a, b' });
    expect(upstream!.protocol).toBe('a');
  });

  it("authorizes with the URL's userinfo unless the client brings its own", async () => {
    const { url, server } = await startWs();
    const endpoint = new Endpoint({ url: url.replace('ws://', 'ws://ada:secret@'), trusted: false });
    const asked = requestOf(server);
    await dial(endpoint);
    expect((await asked).headers).toMatchObject({
      authorization: `Basic ${Buffer.from('ada:secret').toString('base64')}`,
    });
    const askedAgain = requestOf(server);
    await dial(endpoint, { ...plainDial, headers: [['authorization', 'Bearer x']] });
    expect((await askedAgain).headers).toMatchObject({ authorization: 'Bearer x' });
  });

  it('reads what comes in the same packet as the end of the handshake', async () => {
    const { url, server } = await startWs();
    server.on('connection', (socket) => socket.send('first'));
    const messages: string[] = [];
    await new Promise<void>((resolve) => {
      dialer().dial(new Endpoint({ url, trusted: false }), plainDial, {
        onOpen: (upstream) => {
          cleanUps.push(() => upstream.destroy());
          upstream.owner = {
            onUpstreamMessage: (buf, start, end) => {
              messages.push(Buffer.from(buf.subarray(start, end)).toString());
              resolve();
            },
            onUpstreamGone: () => undefined,
            onUpstreamWritable: () => undefined,
          };
        },
        onFailure: rethrow,
      });
    });
    expect(messages).toEqual(['first']);
  });

  it('reaches a unix socket', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'wsluice-'));
    cleanUps.push(() => rmSync(dir, { recursive: true, force: true }));
    const url = await startTcp(
      (socket) => socket.end('HTTP/1.1 503 Busy\r\n\r\n'),
      join(dir, 'backend.sock'),
    );
    const { error } = await dial(new Endpoint({ url, trusted: false }));
    expect(error?.status).toBe(503);
  });

  it('fails with the status of an answer other than 101', async () => {
    const url = await startTcp((socket) => socket.once('data', () => socket.end('HTTP/1.1 401 No\r\n\r\n')));
    const { error } = await dial(new Endpoint({ url, trusted: false }));
    expect(error).toMatchObject({ code: 'WSLUICE_DIAL', status: 401 });
  });

  it('fails when nobody listens', async () => {
    const url = await startTcp(() => undefined);
    await cleanUps.pop()!();
    const { error } = await dial(new Endpoint({ url, trusted: false }));
    expect(error).toMatchObject({ code: 'WSLUICE_DIAL', status: undefined });
  });

  it('fails when the connection closes before an answer', async () => {
    const url = await startTcp((socket) => socket.end());
    const { error } = await dial(new Endpoint({ url, trusted: false }));
    expect(error?.status).toBeUndefined();
  });

  it('fails when no answer comes in time, and lets go of the connection', async () => {
    let closed: Promise<unknown> | undefined;
    const url = await startTcp((socket) => {
      socket.resume();
      closed = new Promise((resolve) => socket.once('close', resolve));
    });
    const { error } = await dial(
      new Endpoint({ url, trusted: false }),
      plainDial,
      dialer({ connectTimeoutMs: 50 }),
    );
    expect(error?.message).toContain('50 ms');
    await closed;
  });

  it('gives a dial no more time than its request allows', async () => {
    const url = await startTcp((socket) => socket.resume());
    const { error } = await dial(new Endpoint({ url, trusted: false }), { ...plainDial, timeoutMs: 50 });
    expect(error?.message).toContain('50 ms');
  });

  it('fails, after it returned, when a header cannot be written', async () => {
    const { url } = await startWs();
    let returned = false;
    const outcome = new Promise<boolean>((resolve) => {
      dialer().dial(
        new Endpoint({ url, trusted: false }),
        { ...plainDial, headers: [['x-bad', 'a\r\nb']] },
        { onOpen: () => resolve(false), onFailure: () => resolve(returned) },
      );
      returned = true;
    });
    expect(await outcome).toBe(true);
  });

  it('calls no handler once it is given up', async () => {
    let closed: Promise<unknown> | undefined;
    const arrived = new Promise<void>((resolve) => {
      void startTcp((socket) => {
        socket.resume();
        closed = new Promise((done) => socket.once('close', done));
        resolve();
      }).then((url) => {
        const fail = (): never => {
          throw new Error('a handler was called');
        };
        const giveUp = dialer().dial(new Endpoint({ url, trusted: false }), plainDial, {
          onOpen: fail,
          onFailure: fail,
        });
        void arrived.then(giveUp);
      });
    });
    await arrived;
    await closed;
  });

  it('tells the owner when the socket closes', async () => {
    const { url, server } = await startWs();
    const asked = requestOf(server);
    const { upstream } = await dial(new Endpoint({ url, trusted: false }));
    const gone = new Promise((resolve) => {
      upstream!.owner = {
        onUpstreamMessage: () => undefined,
        onUpstreamGone: (code) => resolve(code),
        onUpstreamWritable: () => undefined,
      };
    });
    (await asked).socket.terminate();
    expect(await gone).toBe(1006);
  });
});

describe('Dialer that requires a subprotocol', () => {
  it('speaks to an upstream that chooses it', async () => {
    const { url } = await startWs({ handleProtocols: () => 'wanted' });
    const by = dialer({ requiredProtocol: 'wanted' });
    const { upstream } = await dial(new Endpoint({ url, trusted: false }), plainDial, by);
    expect(upstream?.protocol).toBe('wanted');
  });

  it('does not speak to one that does not', async () => {
    const { url } = await startWs({ handleProtocols: () => false });
    const by = dialer({ requiredProtocol: 'wanted' });
    const { error } = await dial(new Endpoint({ url, trusted: false }), plainDial, by);
    expect(error?.message).toBe('does not speak wanted');
  });
});

describe('Dialer with a codec', () => {
  const app: DialRequest = { ...plainDial, protocols: ['app', 'other'] };

  /** Dials a server that chooses this subprotocol and answers with this header; gives what a message becomes on the wire. */
  async function agree(
    choice: string | false,
    header: string,
    request = app,
  ): Promise<{ offered: string | undefined; protocol: string; heard: Buffer; isBinary: boolean }> {
    const { url, server } = await startWs({ handleProtocols: () => choice });
    if (header !== '') server.on('headers', (headers) => headers.push(`Wsluice-Codec: ${header}`));
    const asked = requestOf(server);
    const by = dialer({ codec: new ToyUpstreamCodec() });
    const { upstream } = await dial(new Endpoint({ url, trusted: false }), request, by);
    const { headers, socket } = await asked;
    const heard = new Promise<[Buffer, boolean]>((resolve) =>
      socket.once('message', (data: Buffer, isBinary) => resolve([data, isBinary])),
    );
    upstream!.send(Buffer.from('hello'), 0, 5, false);
    const [message, isBinary] = await heard;
    const offered = headers['sec-websocket-protocol'];
    return { offered, protocol: upstream!.protocol, heard: message, isBinary };
  }

  it("offers it after the client's own subprotocols", async () => {
    expect((await agree('app', '')).offered).toBe('app, other, wsluice.toy');
    expect((await agree(false, '', plainDial)).offered).toBe('wsluice.toy');
  });

  it.each([
    ['chooses its subprotocol and says so', 'wsluice.toy', 'toy', ''],
    ['chooses a subprotocol of the application and says that it speaks it', 'other', 'toy', 'other'],
    ['says that it speaks it and chooses nothing', false, 'toy', ''],
  ] as const)('speaks it to an upstream that %s', async (_, choice, header, protocol) => {
    const agreed = await agree(choice, header);
    expect(agreed.protocol).toBe(protocol);
    expect(agreed.isBinary).toBe(true);
    expect(Buffer.from(unpack(agreed.heard).bytes).toString()).toBe('hello');
  });

  it.each([
    ['chooses nothing', false, '', ''],
    ['chooses its subprotocol without knowing it, as ws does', 'wsluice.toy', '', ''],
    ['chooses a subprotocol of the application', 'app', '', 'app'],
  ] as const)('sends messages as they are to an upstream that %s', async (_, choice, header, protocol) => {
    expect(await agree(choice, header)).toMatchObject({
      protocol,
      heard: Buffer.from('hello'),
      isBinary: false,
    });
  });

  it.each([undefined, new ToyUpstreamCodec()])(
    'refuses one that speaks a codec it was not asked for',
    async (codec) => {
      const { url, server } = await startWs();
      server.on('headers', (headers) => headers.push('Wsluice-Codec: other'));
      const { error } = await dial(new Endpoint({ url, trusted: false }), plainDial, dialer({ codec }));
      expect(error?.message).toBe('speaks a codec that the pool does not');
    },
  );

  it('unpacks what comes in the same packet as the end of the handshake', async () => {
    const { url, server } = await startWs();
    server.on('headers', (headers) => headers.push('Wsluice-Codec: toy'));
    server.on('connection', (socket) => socket.send(pack('first')));
    const message = await new Promise((resolve) => {
      dialer({ codec: new ToyUpstreamCodec() }).dial(new Endpoint({ url, trusted: false }), plainDial, {
        onOpen: (upstream) => {
          cleanUps.push(() => upstream.destroy());
          upstream.owner = {
            onUpstreamMessage: (buf, start, end) => resolve(Buffer.from(buf.subarray(start, end)).toString()),
            onUpstreamGone: () => undefined,
            onUpstreamWritable: () => undefined,
          };
        },
        onFailure: rethrow,
      });
    });
    expect(message).toBe('first');
  });
});
