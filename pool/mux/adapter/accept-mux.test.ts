import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { once } from 'node:events';
import { eventually } from '../../../test/support/eventually.ts';
import { MUX, closeFrame, leb128, muxFrame, openFrame } from '../../../test/support/mux-frames.ts';
import { MuxGateway } from '../../../test/support/mux-gateway.ts';
import { onTearDown } from '../../../test/support/tear-down.ts';
import { acceptMux } from './accept-mux.ts';
import { startMuxBackend, type MuxBackend, type MuxBackendOptions } from './mux-backend.fixture.ts';

async function start(options?: MuxBackendOptions): Promise<MuxBackend & { gateway: MuxGateway }> {
  const backend = await startMuxBackend(options);
  return { ...backend, gateway: await MuxGateway.connect(backend.url) };
}

const echo = (socket: WebSocket): void =>
  void socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));

it('speaks the example of docs/mux-protocol.md to the byte', async () => {
  const page = readFileSync(new URL('../../../docs/mux-protocol.md', import.meta.url), 'utf8');
  const example = /```\n(gateway {2}01.*?)```/s.exec(page)![1]!.trim().split('\n');
  const lines = example.map((line) => ({
    isGateway: line.startsWith('gateway'),
    hex: line.slice(9).replaceAll(' ', ''),
  }));
  expect(lines.map(({ isGateway }) => isGateway)).toEqual([true, false, true, false, true]);
  const { gateway, told } = await start({
    onClient: (socket) =>
      socket.on('message', () => {
        socket.send('ho');
        socket.close(1000);
      }),
  });
  for (const { isGateway, hex } of lines) {
    if (isGateway) {
      gateway.send(Buffer.from(hex, 'hex'));
      continue;
    }
    const frames = gateway.received.length;
    await eventually(() => expect(gateway.received.length).toBeGreaterThan(frames - 1));
    await eventually(() => expect(asHex(gateway.received.shift()!)).toBe(hex));
  }
  await eventually(() => expect(told).toEqual(['text 2', 'close 1000']));
  expect(gateway.received).toEqual([]);
});

function asHex(frames: readonly { type: number; stream: number; payload: Buffer }[]): string {
  return frames.map(({ type, stream, payload }) => muxFrame(type, stream, payload).toString('hex')).join('');
}

describe('a client behind a gateway', () => {
  it('is a WebSocket of ws, in clients and in the connection event, with the request that it made', async () => {
    const { gateway, sockets, requests, server } = await start();
    await gateway.accepted({
      path: '/chat?room=7',
      address: '203.0.113.7',
      headers: [
        ['authorization', 'Bearer x'],
        ['cookie', 'a=1'],
        ['cookie', 'b=2'],
        ['x-tag', '1'],
        ['x-tag', '2'],
        ['sec-websocket-extensions', 'permessage-deflate'],
        ['wsluice-resumed', 'true'],
        ['__proto__', 'harmless'],
      ],
      unknown: { to: 'everybody' },
    });
    expect(sockets[0]).toBeInstanceOf(WebSocket);
    expect(sockets[0]).toMatchObject({ readyState: WebSocket.OPEN, protocol: '', extensions: '' });
    expect([...server.clients]).toEqual(sockets);
    const [request] = requests;
    expect(request).toMatchObject({ url: '/chat?room=7', method: 'GET', httpVersion: '1.1' });
    expect(request!.headers).toMatchObject({
      authorization: 'Bearer x',
      cookie: 'a=1; b=2',
      'x-tag': '1, 2',
    });
    expect(Object.keys(request!.headers).filter((name) => /extensions|wsluice/.test(name))).toEqual([]);
    expect(Object.getPrototypeOf(request!.headers)).toBe(Object.prototype);
    expect(request!.socket.remoteAddress).toBe('203.0.113.7');
    expect(request!.rawHeaders).toContain('authorization');
    expect('encrypted' in request!.socket && request!.socket.encrypted).toBe(false);
  });

  it('is told that it goes on without knowing', async () => {
    const { gateway, requests } = await start();
    await gateway.accepted({ resumed: true });
    await gateway.accepted();
    expect(requests.map(({ headers }) => headers['wsluice-resumed'])).toEqual(['true', undefined]);
  });

  it('stands beside those that connect by themselves', async () => {
    const { gateway, url, sockets, server, told } = await start({ onClient: echo });
    const plain = new WebSocket(url);
    await once(plain, 'open');
    const client = await gateway.accepted();
    for (const socket of server.clients) socket.send('to all');
    plain.send('plain');
    client.send('on a stream');
    const heard: string[] = [];
    plain.on('message', (data: Buffer) => heard.push(data.toString()));
    await eventually(() => expect(heard).toEqual(['to all', 'plain']));
    await eventually(() => expect(client.messages).toEqual(['to all', 'on a stream']));
    expect(sockets.length).toBe(2);
    expect(server.clients.size).toBe(2);
    plain.close(1000);
    client.close(1000);
    await eventually(() => expect(told.filter((line) => line === 'close 1000').length).toBe(2));
    expect(server.clients.size).toBe(0);
  });

  it('goes to the function instead of the event, where one is given', async () => {
    const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
    const seen: string[] = [];
    server.on('connection', (_socket, request) => seen.push(`event ${request.url ?? ''}`));
    acceptMux(server, (socket, request) => {
      seen.push(`function ${request.url ?? ''}`);
      socket.on('message', (data: Buffer) => socket.send(data.toString().toUpperCase()));
    });
    await once(server, 'listening');
    onTearDown(() => server.close());
    const address = server.address() as { port: number };
    const gateway = await MuxGateway.connect(`ws://127.0.0.1:${address.port}`);
    const client = await gateway.accepted({ path: '/a' });
    const plain = new WebSocket(`ws://127.0.0.1:${address.port}/b`);
    await once(plain, 'open');
    client.send('three lines');
    await eventually(() => expect(client.messages).toEqual(['THREE LINES']));
    expect(seen).toEqual(['function /a', 'event /b']);
    plain.terminate();
    gateway.terminate();
  });

  it('chooses its subprotocol as the server says, also when that is said later', async () => {
    const { gateway, server, sockets } = await start();
    expect((await gateway.accepted({ protocols: ['b', 'a'] })).protocol).toBe('b');
    server.options.handleProtocols = (offered) => offered.has('a') && 'a';
    expect((await gateway.accepted({ protocols: ['b', 'a'] })).protocol).toBe('a');
    expect((await gateway.accepted({ protocols: ['b'] })).protocol).toBe('');
    expect(sockets.map(({ protocol }) => protocol)).toEqual(['b', 'a', '']);
  });

  it('is refused by verifyClient, at once or later, which is asked about clients only', async () => {
    const asked: (string | undefined)[] = [];
    const { gateway, sockets } = await start({
      ws: {
        verifyClient: ({ req, origin }, done) => {
          asked.push(req.url);
          setImmediate(() => done(origin === 'https://good.example', 403));
        },
      },
    });
    const bad = gateway.open({ path: '/bad' });
    const good = gateway.open({ path: '/good', headers: [['origin', 'https://good.example']] });
    await eventually(() => expect(good.protocol).toBe(''));
    expect(bad.refused).toEqual({ status: 403, reason: 'Forbidden' });
    expect(asked).toEqual(['/bad', '/good']);
    expect(sockets.length).toBe(1);
  });

  it('that leaves before the server has made up its mind is answered with CLOSE alone', async () => {
    const { gateway, sockets, server } = await start({
      ws: { verifyClient: (_info, done) => setTimeout(() => done(true), 50) },
    });
    const client = gateway.open();
    client.onFrame = () => undefined;
    gateway.send(closeFrame(client.id, 1001));
    const next = await gateway.accepted();
    expect(gateway.frames(client.id).map(({ type }) => type)).toEqual([MUX.close]);
    expect(next.protocol).toBe('');
    expect([sockets.length, server.clients.size]).toEqual([1, 1]);
  });

  it('may ask for any path, while gateways come in by that of the server', async () => {
    const { gateway, url } = await startMuxBackend({ ws: { path: '/mux' } }).then(async (backend) => ({
      ...backend,
      gateway: await MuxGateway.connect(`${backend.url}/mux`),
    }));
    expect((await gateway.accepted({ path: '/elsewhere' })).protocol).toBe('');
    await expect(MuxGateway.connect(`${url}/elsewhere`)).rejects.toThrow('400');
  });

  it('is refused once there are too many', async () => {
    const { gateway } = await start({ mux: { maxClients: 2 } });
    const [first] = [await gateway.accepted(), await gateway.accepted()];
    const third = gateway.open();
    await eventually(() => expect(third.refused).toEqual({ status: 503, reason: 'Too many clients' }));
    first.close();
    await eventually(() => expect(first.closed).toBeDefined());
    await gateway.accepted();
  });
});

describe('a handshake for the mux protocol', () => {
  it('is agreed to before all others, without compression', async () => {
    const { url } = await startMuxBackend({ ws: { perMessageDeflate: true, handleProtocols: () => false } });
    const socket = new WebSocket(url, ['app', 'wsluice.mux.v1']);
    await once(socket, 'open');
    expect([socket.protocol, socket.extensions]).toEqual(['wsluice.mux.v1', '']);
    socket.terminate();
  });

  it('from a browser gets 401, and so does one that the application does not know', async () => {
    const { url } = await startMuxBackend();
    await expect(MuxGateway.connect(url, { origin: 'https://evil.example' })).rejects.toThrow('401');
    const verifyGateway = ({ headers }: { headers: NodeJS.Dict<string | string[]> }): boolean =>
      headers['x-secret'] === 's';
    const guarded = await startMuxBackend({ mux: { verifyGateway } });
    await expect(MuxGateway.connect(guarded.url)).rejects.toThrow('401');
    await MuxGateway.connect(guarded.url, { 'x-secret': 's' });
  });

  it('shows nothing of its connection to the application', async () => {
    const headers: string[] = [];
    const { gateway, server, sockets } = await start({
      ws: {
        verifyClient: () => {
          throw new Error('not asked');
        },
      },
    });
    server.on('headers', (_headers, request) => headers.push(request.url ?? ''));
    await MuxGateway.connect(`ws://127.0.0.1:${(server.address() as { port: number }).port}`);
    expect([server.clients.size, sockets.length, headers]).toEqual([0, 0, []]);
    expect(gateway.closed).toBeUndefined();
  });

  it.each([
    ['windowBytes', { windowBytes: 1_023 }],
    ['maxClients', { maxClients: 0 }],
    ['heartbeatMs', { heartbeatMs: -1 }],
  ])('is not prepared with %s out of range', (name, options) => {
    const server = new WebSocketServer({ noServer: true });
    expect(() => acceptMux(server, options)).toThrow(
      expect.objectContaining({ code: 'WSLUICE_OPTION', message: expect.stringContaining(name) as string }),
    );
  });
});

describe('a breach', () => {
  const one = openFrame(1);
  const cases: readonly (readonly [string, readonly Uint8Array[] | string | Buffer])[] = [
    ['a text message', 'hello'],
    ['a text message that is not even UTF-8', Buffer.of(0xff)],
    ['an unknown type', [muxFrame(0x20, 1)]],
    ['a frame that is cut off', [one.subarray(0, one.length - 1)]],
    ['a length that is too long a varint', [Buffer.from([MUX.ping, 0, 0x80, 0])]],
    ['a stream beyond 2^31', [muxFrame(MUX.close, 2 ** 31)]],
    ['OPEN on stream 0', [openFrame(0)]],
    ['OPEN twice', [one, one]],
    ['OPEN of a lower stream', [openFrame(7), openFrame(6)]],
    ['OPEN that is no JSON', [muxFrame(MUX.open, 1, '{')]],
    ['OPEN of null', [muxFrame(MUX.open, 1, 'null')]],
    ['OPEN that is no UTF-8', [muxFrame(MUX.open, 1, Buffer.from([0x22, 0xff, 0x22]))]],
    ['OPEN of more than 64 KiB', [openFrame(1, { path: `/${'x'.repeat(65_536)}` })]],
    ['OPEN without a path', [openFrame(1, { path: undefined })]],
    ['OPEN with a line break in its path', [openFrame(1, { path: '/\r\nx: y' })]],
    ['OPEN with a path that is none', [openFrame(1, { path: 'ws' })]],
    ['OPEN with headers that are no pairs', [openFrame(1, { headers: ['a'] })]],
    ['OPEN with a header that is a number', [openFrame(1, { headers: [['a', 1]] })]],
    ['OPEN with a line break in a header', [openFrame(1, { headers: [['a', 'b\r\nc: d']] })]],
    ['OPEN with an upper-case header', [openFrame(1, { headers: [['A', 'b']] })]],
    ['OPEN without an address', [openFrame(1, { address: 7 })]],
    ['OPEN without protocols', [openFrame(1, { protocols: 'a' })]],
    ['OPEN with a window that is too small', [openFrame(1, { window: 1_023 })]],
    ['OPEN with a window that is too large', [openFrame(1, { window: 2 ** 31 })]],
    ['OPEN with half a window', [openFrame(1, { window: 2_000.5 })]],
    ['ACCEPT', [one, muxFrame(MUX.accept, 1, leb128(4_096))]],
    ['REFUSE', [one, muxFrame(MUX.refuse, 1, Buffer.of(1, 244))]],
    ['GOAWAY', [muxFrame(MUX.goAway, 0)]],
    ['DATA on stream 0', [muxFrame(MUX.text, 0, 'x')]],
    ['DATA on a stream that was never opened', [one, muxFrame(MUX.text, 2, 'x')]],
    ['DATA beyond the credit', [one, muxFrame(MUX.text, 1, 'x'.repeat(1_009))]],
    ['a part of more than 64 KiB', [one, muxFrame(MUX.text, 1, 'x'.repeat(65_537))]],
    ['a text part after a binary one', [one, muxFrame(MUX.binaryPart, 1), muxFrame(MUX.text, 1)]],
    ['WINDOW of nothing', [one, muxFrame(MUX.window, 1, leb128(0))]],
    ['WINDOW with a rest', [one, muxFrame(MUX.window, 1, Buffer.of(1, 1))]],
    ['WINDOW beyond 2^31', [one, muxFrame(MUX.window, 1, leb128(2 ** 31 - 1))]],
    ['WINDOW on stream 0', [muxFrame(MUX.window, 0, leb128(1))]],
    ['PING of more than 125 bytes', [muxFrame(MUX.ping, 0, 'x'.repeat(126))]],
    ['CLOSE with one byte', [one, muxFrame(MUX.close, 1, 'x')]],
    ['CLOSE with 1005', [one, closeFrame(1, 1005)]],
    ['CLOSE with a reason that is too long', [one, closeFrame(1, 1000, 'x'.repeat(124))]],
    ['CLOSE with a reason that is no UTF-8', [one, muxFrame(MUX.close, 1, Buffer.of(3, 232, 0xff))]],
  ];

  it.each(cases)(
    'of %s closes the connection with 1002, and its clients as if they had vanished',
    async (_, said) => {
      const { gateway, told, server, url } = await start({ mux: { windowBytes: 1_024 } });
      const other = await MuxGateway.connect(url);
      const bystander = await other.accepted();
      if (typeof said === 'string' || Buffer.isBuffer(said)) gateway.sendText(said);
      else gateway.send(...said);
      await eventually(() => expect(gateway.closed?.code).toBe(1002));
      await eventually(() => expect(server.clients.size).toBe(1));
      expect(told.filter((line) => line !== 'close 1006')).toEqual([]);
      expect([other.closed, bystander.closed]).toEqual([undefined, undefined]);
      other.terminate();
    },
  );

  it('of DATA before ACCEPT is one as well', async () => {
    const { gateway } = await start({
      ws: { verifyClient: (_info, done) => void setTimeout(done, 100, true) },
    });
    gateway.send(openFrame(1), muxFrame(MUX.text, 1, 'x'));
    await eventually(() => expect(gateway.closed?.code).toBe(1002));
  });

  it('is not what crosses on the way: frames for streams that are over, extensions, an empty message', async () => {
    const { gateway, told } = await start({ onClient: echo });
    const client = await gateway.accepted();
    client.close(1000);
    gateway.send(
      muxFrame(MUX.text, client.id, 'late'),
      muxFrame(MUX.window, client.id, leb128(5)),
      muxFrame(MUX.ping, client.id),
      muxFrame(MUX.pong, client.id),
      closeFrame(client.id, 1000),
      muxFrame(0x80, 9, 'extension'),
      muxFrame(0xff, 0),
    );
    gateway.send();
    await eventually(() => expect(told).toEqual(['close 1000']));
    const next = await gateway.accepted();
    next.send('on');
    await eventually(() => expect(next.messages).toEqual(['on']));
    expect(gateway.frames(client.id).map(({ type }) => type)).toEqual([MUX.accept, MUX.close]);
  });
});

describe('pings', () => {
  it('of the gateway are answered, on the connection and on a stream', async () => {
    const { gateway, sockets } = await start();
    const client = await gateway.accepted();
    const heard: string[] = [];
    sockets[0]!.on('ping', (data) => heard.push(data.toString()));
    gateway.send(muxFrame(MUX.ping, 0, 'all'), muxFrame(MUX.ping, client.id, 'one'));
    await eventually(() =>
      expect(
        gateway
          .frames()
          .filter(({ type }) => type === MUX.pong)
          .map(({ stream, payload }) => [stream, payload.toString()]),
      ).toEqual([
        [0, 'all'],
        [client.id, 'one'],
      ]),
    );
    expect(heard).toEqual(['one']);
  });

  it('of the server are answered by the gateway; answers to none are not heard', async () => {
    const { gateway, sockets } = await start();
    const client = await gateway.accepted();
    const heard: string[] = [];
    sockets[0]!.on('pong', (data) => heard.push(data.toString()));
    gateway.send(muxFrame(MUX.pong, client.id, 'unasked'), muxFrame(MUX.ping, 0));
    await eventually(() => expect(gateway.frames(0).length).toBe(1));
    sockets[0]!.ping('are you there');
    await eventually(() => expect(heard).toEqual(['are you there']));
  });

  it('ask a gateway that is silent, and cut off one that stays so', async () => {
    const { gateway, told } = await start({ mux: { heartbeatMs: 40 } });
    await gateway.accepted();
    await eventually(() => expect(gateway.frames(0).map(({ type }) => type)).toContain(MUX.ping));
    await eventually(() => expect(gateway.closed?.code).toBe(1006));
    await eventually(() => expect(told).toEqual(['close 1006']));
  });
});
