import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createWebSocketStream, WebSocket } from 'ws';
import { eventually } from '../../../test/support/eventually.ts';

/** The other end of a connection to a `ws` server, however it gets there. */
export interface FarEnd {
  readonly messages: readonly (string | Buffer)[];
  readonly closed: { readonly code: number; readonly reason: string } | undefined;
  send(message: string | Uint8Array): void;
  /** One message in several parts. */
  sendParts(parts: readonly string[]): void;
  /** Text that is not UTF-8. */
  sendBadText(): void;
  close(code?: number, reason?: string): void;
  /** Goes without goodbye. */
  vanish(): void;
  /** Reads nothing more, until `resume`. */
  pause(): void;
  resume(): void;
}

export interface Pair {
  /** The server's. */
  readonly socket: WebSocket;
  readonly far: FarEnd;
  readonly url: string | undefined;
}

/** Connects to a `ws` server whose largest message has 1 MiB. */
export type ConnectPair = () => Promise<Pair>;

const MIB = 1_048_576;

/** What a WebSocket of `ws` promises to a server. `ws` itself, connected directly, is the oracle. */
export function describeWsApi(name: string, connect: ConnectPair): void {
  describe(`a WebSocket of ws, ${name}`, () => {
    it('has the properties of a WebSocket', async () => {
      const { socket } = await connect();
      expect(socket).toBeInstanceOf(WebSocket);
      const { readyState, protocol, extensions, url, bufferedAmount, binaryType, isPaused } = socket;
      expect({ readyState, protocol, extensions, url, bufferedAmount, binaryType, isPaused }).toEqual({
        readyState: 1,
        protocol: '',
        extensions: '',
        url: undefined,
        bufferedAmount: 0,
        binaryType: 'nodebuffer',
        isPaused: false,
      });
      expect([socket.CONNECTING, socket.OPEN, socket.CLOSING, socket.CLOSED]).toEqual([0, 1, 2, 3]);
      for (const handler of ['onopen', 'onmessage', 'onclose', 'onerror'] as const)
        expect(socket[handler]).toBeNull();
    });

    it('sends whatever can be sent, in order', async () => {
      const { socket, far } = await connect();
      const bytes = Uint8Array.of(1, 2, 3, 4);
      socket.send('text é');
      socket.send(Buffer.from(bytes));
      socket.send(bytes.buffer);
      socket.send(new Uint16Array(bytes.buffer, 2, 1));
      socket.send(new DataView(bytes.buffer, 1, 2));
      socket.send(new Blob(['blob']));
      socket.send(17);
      socket.send([5, 6]);
      socket.send('');
      socket.send(Buffer.from('text by option'), { binary: false });
      socket.send('binary by option', { binary: true });
      socket.send('compressed', { compress: true });
      socket.send('first', { fin: false });
      socket.send(', second', { fin: false });
      socket.send(', last', { fin: true });
      socket.send('x'.repeat(300_000));
      await eventually(() => expect(far.messages.length).toBe(14));
      expect(far.messages).toEqual([
        'text é',
        Buffer.of(1, 2, 3, 4),
        Buffer.of(1, 2, 3, 4),
        Buffer.of(3, 4),
        Buffer.of(2, 3),
        Buffer.from('blob'),
        '17',
        Buffer.of(5, 6),
        '',
        'text by option',
        Buffer.from('binary by option'),
        'compressed',
        'first, second, last',
        'x'.repeat(300_000),
      ]);
    });

    it('calls back once a message is written, and with an error after the end', async () => {
      const { socket, far } = await connect();
      await new Promise<void>((done, fail) => socket.send('x', (error) => (error ? fail(error) : done())));
      await new Promise<void>((done) => socket.send('y', { binary: true }, () => done()));
      far.close(1000);
      await once(socket, 'close');
      const error = await new Promise((done) => socket.send('z', done));
      expect(error).toEqual(new Error('WebSocket is not open: readyState 3 (CLOSED)'));
      expect(socket.bufferedAmount).toBe(1);
      socket.close();
      socket.terminate();
      socket.pause();
      expect(socket.isPaused).toBe(false);
    });

    it('refuses what cannot be said, and goes on', async () => {
      const { socket, far } = await connect();
      for (const code of [0, 999, 1004, 1005, 1006, 1015, 2_000, 5_000, '1000'])
        expect(() => socket.close(code as number), String(code)).toThrow(
          new TypeError('First argument must be a valid error code number'),
        );
      expect(() => socket.close(1000, 'x'.repeat(124))).toThrow(
        new RangeError('The message must not be greater than 123 bytes'),
      );
      expect(() => socket.ping('x'.repeat(126))).toThrow(
        new RangeError('The data size must not be greater than 125 bytes'),
      );
      expect(() => socket.pong(Buffer.alloc(126))).toThrow(RangeError);
      expect(() => socket.send(Symbol('x') as never)).toThrow(TypeError);
      socket.send('on');
      await eventually(() => expect(far.messages).toEqual(['on']));
      expect(socket.readyState).toBe(WebSocket.OPEN);
    });

    it.each([
      ['nodebuffer', (data: unknown) => Buffer.isBuffer(data)],
      ['arraybuffer', (data: unknown) => data instanceof ArrayBuffer],
      ['fragments', (data: unknown) => Array.isArray(data) && data.every((part) => Buffer.isBuffer(part))],
      ['blob', (data: unknown) => data instanceof Blob],
    ])('gives binary messages as %s, and text as a Buffer', async (type, isIt) => {
      const { socket, far } = await connect();
      const got: [unknown, boolean][] = [];
      socket.binaryType = type as 'nodebuffer';
      socket.on('message', (data, isBinary) => got.push([data, isBinary]));
      far.send(Buffer.of(1, 2, 3));
      far.send('text');
      await eventually(() => expect(got.length).toBe(2));
      expect([isIt(got[0]![0]), got[0]![1]]).toEqual([true, true]);
      expect(got[1]).toEqual([Buffer.from('text'), false]);
    });

    it('gives messages whole, however they came', async () => {
      const { socket, far } = await connect();
      const got: string[] = [];
      socket.on('message', (data: Buffer) => got.push(data.toString()));
      far.sendParts(['one ', '', 'mes', 'sage']);
      far.send('');
      far.send('y'.repeat(700_000));
      await eventually(() => expect(got).toEqual(['one message', '', 'y'.repeat(700_000)]));
    });

    it('has the events of the web', async () => {
      const { socket, far } = await connect();
      const told: unknown[] = [];
      socket.onmessage = ({ data, type, target }) => told.push([type, data, target === socket]);
      const listener = { handleEvent: ({ data }: { data: unknown }) => told.push(['object', data]) };
      socket.addEventListener('message', listener);
      socket.addEventListener('message', ({ data }) => told.push(['once', data]), { once: true });
      const removed = (): void => void told.push('removed');
      socket.addEventListener('message', removed);
      socket.removeEventListener('message', removed);
      socket.onclose = ({ code, reason, wasClean, type }) => told.push([type, code, reason, wasClean]);
      far.send('text');
      far.send(Buffer.of(7));
      await eventually(() => expect(told.length).toBe(5));
      far.close(4_001, 'enough');
      await once(socket, 'close');
      expect(told).toEqual([
        ['message', 'text', true],
        ['object', 'text'],
        ['once', 'text'],
        ['message', Buffer.of(7), true],
        ['object', Buffer.of(7)],
        ['close', 4_001, 'enough', true],
      ]);
    });

    it.each([
      ['with a code and a reason', 4_002, 'wörd', [4_002, 'wörd']],
      ['with a code', 1_001, undefined, [1_001, '']],
      ['without', undefined, undefined, [1_005, '']],
    ] as const)('hears the far end close %s', async (_, code, reason, expected) => {
      const { socket, far } = await connect();
      far.close(code, reason);
      const [gotCode, gotReason] = (await once(socket, 'close')) as [number, Buffer];
      expect([gotCode, gotReason.toString()]).toEqual(expected);
      expect(Buffer.isBuffer(gotReason)).toBe(true);
      expect(socket.readyState).toBe(WebSocket.CLOSED);
      await eventually(() => expect(far.closed?.code).toBe(expected[0]));
    });

    it.each([
      ['with a code and a reason', 4_003, 'done', [4_003, 'done']],
      ['without', undefined, undefined, [1_005, '']],
    ] as const)('closes %s, after what was sent before', async (_, code, reason, expected) => {
      const { socket, far } = await connect();
      socket.send('z'.repeat(400_000));
      socket.close(code, reason);
      expect(socket.readyState).toBe(WebSocket.CLOSING);
      const [gotCode] = (await once(socket, 'close')) as [number];
      expect(gotCode).toBe(expected[0]);
      await eventually(() => expect(far.closed).toEqual({ code: expected[0], reason: expected[1] }));
      expect(far.messages).toEqual(['z'.repeat(400_000)]);
    });

    it('terminates', async () => {
      const { socket, far } = await connect();
      socket.terminate();
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      expect([code, reason.toString()]).toEqual([1006, '']);
      await eventually(() => expect(far.closed?.code).toBe(1006));
    });

    it('hears of a far end that vanishes, after its last words', async () => {
      const { socket, far } = await connect();
      const told: unknown[] = [];
      socket.on('error', (error) => told.push(error));
      socket.on('message', (data: Buffer) => told.push(data.toString()));
      far.send('last words');
      far.vanish();
      const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
      expect([...told, code, reason.toString()]).toEqual(['last words', 1006, '']);
    });

    it('fails on a message that is too big, with 1009', async () => {
      const { socket, far } = await connect();
      const error = once(socket, 'error');
      const closed = new Promise((done) => socket.once('close', done));
      far.send('x'.repeat(MIB));
      far.send('x'.repeat(MIB + 1));
      const [message] = (await once(socket, 'message')) as [Buffer];
      expect(message.length).toBe(MIB);
      expect((await error)[0]).toMatchObject({
        name: 'RangeError',
        message: 'Max payload size exceeded',
        code: 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH',
      });
      expect(await closed).toBe(1006);
      await eventually(() => expect(far.closed?.code).toBe(1009));
    });

    it('fails on text that is not UTF-8, with 1007', async () => {
      const { socket, far } = await connect();
      const error = once(socket, 'error');
      far.sendBadText();
      expect((await error)[0]).toMatchObject({ code: 'WS_ERR_INVALID_UTF8' });
      await eventually(() => expect(far.closed?.code).toBe(1007));
    });

    it('pings, and hears the answer', async () => {
      const { socket } = await connect();
      const pong = once(socket, 'pong');
      socket.ping('payload');
      expect((await pong)[0]).toEqual(Buffer.from('payload'));
      await new Promise<void>((done) => socket.ping(undefined, undefined, () => done()));
      await new Promise<void>((done) => socket.pong('unasked', undefined, () => done()));
    });

    it('reads nothing while it is paused', async () => {
      const { socket, far } = await connect();
      const got: string[] = [];
      socket.on('message', (data: Buffer) => {
        got.push(data.toString());
        if (data.toString() === 'pause') socket.pause();
      });
      far.send('pause');
      await eventually(() => expect(socket.isPaused).toBe(true));
      far.send('later');
      far.close(1000);
      await sleep(30);
      expect(got).toEqual(['pause']);
      expect(socket.readyState).toBe(WebSocket.OPEN);
      socket.resume();
      await once(socket, 'close');
      expect(got).toEqual(['pause', 'later']);
    });

    it('buffers for a far end that does not read, and calls back when it does', async () => {
      const { socket, far } = await connect();
      far.pause();
      const message = Buffer.alloc(MIB);
      let written = 0;
      for (let n = 0; n < 24; n++) socket.send(message, () => written++);
      await sleep(50);
      expect(written).toBeLessThan(24);
      expect(socket.bufferedAmount).toBeGreaterThan(MIB);
      expect(socket.bufferedAmount).toBeLessThanOrEqual(25 * MIB);
      far.resume();
      await eventually(() => expect(written).toBe(24));
      expect(socket.bufferedAmount).toBe(0);
      await eventually(() => expect(far.messages.length).toBe(24));
    });

    it('fails what it could not send when it is terminated', async () => {
      const { socket, far } = await connect();
      far.pause();
      const errors: unknown[] = [];
      for (let n = 0; n < 24; n++) socket.send(Buffer.alloc(MIB), (error) => errors.push(error));
      await sleep(20);
      const sent = errors.length;
      socket.terminate();
      await once(socket, 'close');
      await eventually(() => expect(errors.length).toBe(24));
      expect(errors.slice(sent).every((error) => error instanceof Error)).toBe(true);
    });

    it('can be a stream, both ways and to the end', async () => {
      const { socket, far } = await connect();
      const stream = createWebSocketStream(socket);
      stream.pipe(stream);
      for (let n = 0; n < 20; n++) far.send(Buffer.alloc(100_000, n));
      const bytes = (): number => far.messages.reduce((sum, { length }) => sum + length, 0);
      await eventually(() => expect(bytes()).toBe(2_000_000));
      far.close(1000);
      await once(stream, 'close');
      await eventually(() => expect(far.closed?.code).toBe(1000));
    });

    it('ends when its stream ends, and when its stream is destroyed', async () => {
      const first = await connect();
      const stream = createWebSocketStream(first.socket);
      const closed = once(stream.resume(), 'close');
      stream.end('last');
      await eventually(() => expect(first.far.closed?.code).toBe(1005));
      expect(first.far.messages.map(String)).toEqual(['last']);
      await closed;
      const second = await connect();
      createWebSocketStream(second.socket).destroy();
      await eventually(() => expect(second.far.closed?.code).toBe(1006));
    });
  });
}
