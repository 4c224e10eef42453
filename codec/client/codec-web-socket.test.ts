import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { WebSocket as Ws } from 'ws';
import { freePort } from '../../test/support/free-port.ts';
import { onTearDown } from '../../test/support/tear-down.ts';
import { CodecWebSocket, type CodecWebSocketOptions } from './codec-web-socket.ts';
import { packWith, startWireServer } from './wire-server.fixture.ts';

const dictionary = readFileSync(new URL('../../test/fixtures/codec-client/json-rpc.dict', import.meta.url));
const dictionaryPath = '/dictionary/305419896';
const codecs = ['zstd', 'brotli', 'gzip'] as const;
const text = JSON.stringify({ jsonrpc: '2.0', params: Array.from({ length: 900 }, (_, n) => n) });

/** A connection that is open, and all that it tells. */
async function connect(url: string, options: CodecWebSocketOptions = {}, protocols: string[] = []) {
  const socket = new CodecWebSocket(url, protocols, options);
  socket.binaryType = 'arraybuffer';
  const told: unknown[] = [];
  socket.addEventListener('message', ({ data }) =>
    told.push(data instanceof ArrayBuffer ? Buffer.from(data) : data),
  );
  socket.addEventListener('error', (event) => told.push((event as Event & { error?: Error }).error));
  const closed = new Promise<{ code: number; reason: string; wasClean: boolean }>((resolve) =>
    socket.addEventListener('close', ({ code, reason, wasClean }) => resolve({ code, reason, wasClean })),
  );
  await new Promise((resolve, reject) => {
    socket.addEventListener('open', resolve);
    socket.addEventListener('error', reject);
  });
  onTearDown(() => socket.close());
  return { socket, told, closed };
}

async function untilTold(told: readonly unknown[], count: number, socket: CodecWebSocket): Promise<void> {
  while (told.length < count) await once(socket, 'message');
}

describe('the look of a WebSocket', () => {
  it('has its constants, states, address and subprotocol', async () => {
    const server = await startWireServer();
    const socket = new CodecWebSocket(server.url.replace('ws:', 'http:'), ['other', 'chosen'], {
      codec: 'gzip',
    });
    const { CONNECTING, OPEN, CLOSING, CLOSED } = CodecWebSocket;
    expect([CONNECTING, OPEN, CLOSING, CLOSED]).toEqual([0, 1, 2, 3]);
    expect(socket).toMatchObject({ CONNECTING: 0, OPEN: 1, CLOSING: 2, CLOSED: 3 });
    expect(socket).toMatchObject({ readyState: 0, binaryType: 'blob', bufferedAmount: 0, codec: 'gzip' });
    await once(socket, 'open');
    expect(socket).toMatchObject({ readyState: 1, protocol: 'chosen', url: `${server.url}?codec=gzip` });
    socket.close();
    expect(socket.readyState).toBe(2);
    await once(socket, 'close');
    expect(socket.readyState).toBe(3);
  });

  it('calls its on… handlers, one each, until they are taken away', async () => {
    const server = await startWireServer();
    const { socket, told } = await connect(server.url, { codec: 'gzip' });
    const seen: string[] = [];
    socket.onmessage = () => seen.push('first');
    socket.onmessage = ({ data }) => seen.push(`second ${data as string}`);
    socket.send('1');
    await untilTold(told, 1, socket);
    socket.onmessage = null;
    expect(socket.onmessage).toBeNull();
    socket.send('2');
    await untilTold(told, 2, socket);
    expect(seen).toEqual(['second 1']);
  });

  it('delivers binary messages as blobs unless it is told otherwise', async () => {
    const server = await startWireServer();
    const { socket, told } = await connect(server.url, { codec: 'brotli' });
    socket.binaryType = 'blob';
    socket.send(new Blob(['blob']));
    await untilTold(told, 1, socket);
    expect(await (told[0] as Blob).text()).toBe('blob');
    expect(server.received[0]).toMatchObject({ flags: 0, plain: Buffer.from('blob') });
  });

  it('throws what a WebSocket throws', async () => {
    const server = await startWireServer();
    expect(() => new CodecWebSocket('not an address')).toThrow(
      expect.objectContaining({ name: 'SyntaxError' }),
    );
    expect(() => new CodecWebSocket(server.url, ['twice', 'twice'])).toThrow(
      expect.objectContaining({ name: 'SyntaxError' }),
    );
    const socket = new CodecWebSocket(server.url, [], { codec: 'zstd' });
    expect(() => socket.send('early')).toThrow(expect.objectContaining({ name: 'InvalidStateError' }));
    expect(() => socket.close(1001)).toThrow(expect.objectContaining({ name: 'InvalidAccessError' }));
    expect(() => socket.close(1000, 'é'.repeat(62))).toThrow(
      expect.objectContaining({ name: 'SyntaxError' }),
    );
    await once(socket, 'open');
    socket.close(4321, 'done');
    const [, reason] = (await once(server.socket(), 'close')) as [number, Buffer];
    expect(reason.toString()).toBe('done');
  });

  it('tells error and close when there is no server', async () => {
    const socket = new CodecWebSocket(`ws://127.0.0.1:${await freePort()}/`, [], { codec: 'gzip' });
    const told: string[] = [];
    for (const type of ['open', 'error', 'close']) socket.addEventListener(type, () => told.push(type));
    await once(socket, 'close');
    expect(told).toEqual(['error', 'close']);
  });

  it('is a plain WebSocket without a codec', async () => {
    const server = await startWireServer();
    const { socket, told } = await connect(`${server.url}?a=b%20c`);
    for (const message of [text, Buffer.from([1, 2, 3])]) socket.send(message);
    await untilTold(told, 2, socket);
    expect(told).toEqual([text, Buffer.from([1, 2, 3])]);
    expect(server.received.map(({ flags }) => flags)).toEqual([undefined, undefined]);
    expect(server.requests).toEqual(['/ws?a=b%20c']);
  });

  it('leaves the rest of the query as it is written', async () => {
    const server = await startWireServer();
    await connect(`${server.url}?a=b%20c&d`, { codec: 'gzip' });
    await connect(`${server.url}?codec=zstd`, { codec: 'gzip' });
    expect(server.requests).toEqual(['/ws?a=b%20c&d&codec=gzip', '/ws?codec=gzip']);
  });
});

describe.each(codecs)('messages with %s', (codec) => {
  it.each([
    ['the WebSocket of the platform', undefined],
    ['that of ws', Ws],
  ])('come back as they were and in their order, by %s', async (_which, WebSocket) => {
    const server = await startWireServer();
    const { socket, told } = await connect(server.url, { codec, minBytes: 100, WebSocket });
    const messages = [
      '',
      'small é',
      text,
      Buffer.alloc(0),
      Buffer.from([0, 255]),
      randomBytes(100_000),
      'large 😀 '.repeat(10_000),
      Buffer.from(text.repeat(30)),
      'last',
    ];
    for (const message of messages) socket.send(message);
    await untilTold(told, messages.length, socket);
    expect(told).toEqual(messages);
    expect(server.received.map(({ plain }) => plain)).toEqual(
      messages.map((message) => Buffer.from(message)),
    );
  });

  it('are compressed from minBytes on, where that makes them smaller', async () => {
    const server = await startWireServer();
    const { socket, told } = await connect(server.url, { codec });
    const noise = randomBytes(2_000);
    const messages = [
      'x'.repeat(1_023),
      'x'.repeat(1_024),
      'é'.repeat(512),
      Buffer.alloc(1_023),
      Buffer.alloc(1_024),
    ];
    for (const message of [...messages, noise, noise.toString('latin1').slice(0, 4)]) socket.send(message);
    await untilTold(told, 7, socket);
    expect(server.received.map(({ flags }) => flags)).toEqual([undefined, 3, 3, 0, 1, 0, undefined]);
    for (const { flags, wireBytes } of server.received)
      if (flags === 1 || flags === 3) expect(wireBytes).toBeLessThan(100);
  });

  it('are all sent before it closes, and counted as buffered until then', async () => {
    const server = await startWireServer();
    const { socket, closed } = await connect(server.url, { codec });
    const message = Buffer.from(text);
    for (let n = 0; n < 20; n++) {
      message[0] = n;
      socket.send(message);
    }
    socket.close(3_000, 'all sent');
    socket.send('too late');
    expect(socket.bufferedAmount).toBe(20 * text.length + 'too late'.length);
    expect(await closed).toMatchObject({ code: 3_000 });
    expect(server.received.map(({ plain }) => plain[0])).toEqual(Array.from({ length: 20 }, (_, n) => n));
    expect(socket.bufferedAmount).toBe('too late'.length);
  });

  it('are all delivered before it tells that the server closed', async () => {
    const server = await startWireServer({
      onMessage: (socket, _message, { wire }) => {
        for (let n = 0; n < 20; n++) socket.send(wire(`${n} ${text}`));
        socket.close(4_000, 'that was all');
      },
    });
    const { socket, told, closed } = await connect(server.url, { codec });
    socket.send('go');
    expect(await closed).toEqual({ code: 4_000, reason: 'that was all', wasClean: true });
    expect(told).toEqual(Array.from({ length: 20 }, (_, n) => `${n} ${text}`));
  });

  it('are not delivered after close()', async () => {
    const server = await startWireServer();
    const { socket, told, closed } = await connect(server.url, { codec });
    socket.addEventListener('message', () => socket.close());
    socket.send('1');
    socket.send('2');
    await closed;
    expect(told).toEqual(['1']);
  });

  const bomb = packWith(codec, Buffer.alloc(200_000));
  it.each([
    ['garbage', 4_007, Buffer.from('\x01garbage, garbage')],
    ['no flag byte', 4_007, Buffer.alloc(0)],
    ['an unknown flag', 4_007, Buffer.from([4, 1, 2])],
    ['text that is not UTF-8', 4_007, Buffer.from([2, 0xff])],
    ['too much', 4_009, Buffer.concat([Buffer.of(1), bomb])],
  ])('end with an error when the server sends %s', async (_what, code, bad) => {
    const server = await startWireServer({
      onMessage: (socket) => {
        socket.send('before');
        socket.send(bad);
        socket.send('after');
      },
    });
    const { socket, told, closed } = await connect(server.url, { codec, maxDecodedBytes: 100_000 });
    socket.send('go');
    expect(await closed).toMatchObject({ code, wasClean: false });
    expect(told).toEqual(['before', expect.objectContaining({ code: 'WSLUICE_CODEC' })]);
  });
});

describe('zstd with a dictionary', () => {
  const message = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"search"}}';

  it('fetches it once, while later messages wait in their order, and packs with it', async () => {
    const server = await startWireServer({
      dictionary,
      onMessage: (socket, { plain }, { wire }) => {
        socket.send(wire(`packed ${plain.toString()}`));
        socket.send(`plain ${plain.toString()}`);
      },
    });
    const { socket, told } = await connect(server.url, { codec: 'zstd', minBytes: 0 });
    socket.send(message);
    await untilTold(told, 2, socket);
    socket.send(message);
    await untilTold(told, 4, socket);
    const both = [`packed ${message}`, `plain ${message}`];
    expect(told).toEqual([...both, ...both]);
    expect(server.requests).toEqual(['/ws?codec=zstd', dictionaryPath]);
    const [before, after] = server.received;
    expect(after!.wireBytes).toBeLessThan(before!.wireBytes / 2);
  });

  it('asks for the one it has, and fetches none', async () => {
    const server = await startWireServer({ dictionary });
    const options = { codec: 'zstd', dictionaries: [dictionary] } as const;
    const { socket, told } = await connect(server.url, options);
    socket.send(message);
    await untilTold(told, 1, socket);
    expect(server.requests).toEqual(['/ws?codec=zstd&dictionary=305419896']);
  });

  it.each([
    [
      'refuses',
      {
        dictionary: Buffer.concat([dictionary.subarray(0, 4), Buffer.of(9, 0, 0, 0), dictionary.subarray(8)]),
      },
    ],
    ['gives something else for', { dictionary, servedDictionary: Buffer.from('<html>no such page</html>') }],
    ['gives another one for', { dictionary, servedDictionary: Buffer.from(dictionary).fill(9, 4, 8) }],
  ])('ends with an error when the server %s the dictionary', async (what, options) => {
    const server = await startWireServer({
      ...options,
      onMessage: (socket, _message, { wire }) => {
        if (what === 'refuses')
          socket.send(Buffer.concat([Buffer.of(3), packWith('zstd', Buffer.from(message), dictionary)]));
        else socket.send(wire(message));
      },
    });
    const { socket, told, closed } = await connect(server.url, { codec: 'zstd' });
    socket.send(message);
    expect(await closed).toMatchObject({ code: 4_011, wasClean: false });
    expect(told).toEqual([expect.any(Error)]);
  });

  it('throws when it is given something that is no dictionary', () => {
    const dictionaries = [Buffer.from('no dictionary')];
    expect(() => new CodecWebSocket('ws://127.0.0.1:1/', [], { codec: 'zstd', dictionaries })).toThrow(
      expect.objectContaining({ code: 'WSLUICE_DICTIONARY' }),
    );
  });

  it('ends with an error when the server sends more than can wait for it', async () => {
    const server = await startWireServer({
      dictionary,
      stallsDictionary: true,
      onMessage: (socket, _message, { wire }) => {
        socket.send(wire(message));
        for (let n = 0; n < 5; n++) socket.send('x'.repeat(1_000));
      },
    });
    const { socket, told, closed } = await connect(server.url, { codec: 'zstd', maxDecodedBytes: 1_000 });
    socket.send('go');
    await once(socket, 'error');
    server.close();
    expect(await closed).toMatchObject({ code: 4_009 });
    expect(told).toEqual([expect.objectContaining({ fault: 'too-big' })]);
  });
});
