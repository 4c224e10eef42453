import { once } from 'node:events';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocketServer, type WebSocket } from 'ws';
import { BufferPool } from './buffer-pool.ts';
import { handshakeRequest, HandshakeResponse, newKey, type Accepted } from './client-handshake.ts';
import { Recorder, type WireEvent } from './frames.fixture.ts';
import { FrameReader } from './reader.ts';
import { FrameWriter } from './writer.ts';

/** Our side of a connection to a server of ws, over a bare socket. */
class Wire extends Recorder {
  readonly writer: FrameWriter;
  accepted: Accepted | undefined;
  readonly #socket: Socket;
  readonly #reader = new FrameReader({ handler: this, maxMessageBytes: 2 ** 22, maxFragments: 64 });
  readonly #response: HandshakeResponse;

  constructor(port: number, trusted: boolean, protocols: readonly string[]) {
    super();
    const key = newKey();
    this.writer = new FrameWriter({ buffers: new BufferPool(), trusted });
    this.#response = new HandshakeResponse({ key, offered: protocols });
    this.#socket = connect(port, '127.0.0.1');
    this.#socket.write(
      handshakeRequest({ host: 'localhost', path: '/', key, protocols, headers: [['x-a', 'b']] }),
    );
    this.#socket.on('data', (chunk) => this.#onData(chunk));
  }

  flush(): void {
    this.#socket.write(this.writer.take()!);
  }

  /** Waits until this many events are there. */
  async seen(count: number): Promise<WireEvent[]> {
    while (this.events.length < count) await once(this.#socket, 'data');
    return this.events;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    let start = 0;
    if (this.accepted === undefined) {
      const answer = this.#response.push(chunk, 0, chunk.length);
      if (answer === 'more') return;
      this.accepted = answer;
      start = answer.leftoverStart;
    }
    this.#reader.push(chunk, start, chunk.length);
  }
}

let server: WebSocketServer;
let wire: Wire;

beforeEach(async () => {
  server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: () => 'two',
    maxPayload: 2 ** 22,
  });
  await once(server, 'listening');
});

afterEach(() => {
  wire.destroy();
  for (const client of server.clients) client.terminate();
  server.close();
});

async function open(trusted: boolean): Promise<WebSocket> {
  const connection = once(server, 'connection') as Promise<[WebSocket]>;
  wire = new Wire((server.address() as AddressInfo).port, trusted, ['one', 'two']);
  const [socket] = await connection;
  return socket;
}

const hexOf = (data: string | Uint8Array): string => Buffer.from(data as Uint8Array).toString('hex');
const texts = ['', 'hello', 'naïve €😀'.repeat(20), 'x'.repeat(126), 'y'.repeat(65_535), 'z'.repeat(70_000)];
const binaries = [Buffer.alloc(0), Buffer.from([0, 1, 255]), Buffer.alloc(1_000_003, 'abcdefg')];

describe.each([true, false])('a ws server, trusted: %s', (trusted) => {
  it('accepts the handshake and echoes every message', async () => {
    const socket = await open(trusted);
    socket.on('message', (data: Buffer, isBinary) => socket.send(data, { binary: isBinary }));
    for (const text of texts) wire.writer.message(Buffer.from(text), 0, Buffer.byteLength(text), false);
    for (const bytes of binaries) wire.writer.message(bytes, 0, bytes.length, true);
    wire.flush();
    const events = await wire.seen(texts.length + binaries.length);
    expect(wire.accepted?.protocol).toBe('two');
    expect(events).toEqual([
      ...texts.map((text) => ['text', hexOf(text)]),
      ...binaries.map((bytes) => ['binary', hexOf(bytes)]),
    ]);
  });

  it('exchanges pings, pongs and close frames', async () => {
    const socket = await open(trusted);
    const closed = once(socket, 'close') as Promise<[number, Buffer]>;
    const pinged = once(socket, 'ping') as Promise<[Buffer]>;
    wire.writer.ping(Buffer.from('are you there'));
    wire.flush();
    expect(String((await pinged)[0])).toBe('are you there');
    socket.ping('and you');
    expect(await wire.seen(2)).toEqual([
      ['pong', hexOf('are you there')],
      ['ping', hexOf('and you')],
    ]);
    wire.writer.close(4000, 'enough');
    wire.flush();
    expect((await wire.seen(3))[2]).toEqual(['close', 4000, 'enough']);
    const [code, reason] = await closed;
    expect([code, String(reason)]).toEqual([4000, 'enough']);
  });
});

it('assembles what a ws server sends in fragments, with a ping between them', async () => {
  const socket = await open(true);
  for (const binary of [false, true]) {
    socket.send('first ', { fin: false, binary });
    socket.ping('now');
    socket.send(Buffer.alloc(200_000, 'x'), { fin: false, binary });
    socket.send('', { fin: true, binary });
  }
  socket.close(1013);
  const message = hexOf(`first ${'x'.repeat(200_000)}`);
  expect(await wire.seen(5)).toEqual([
    ['ping', hexOf('now')],
    ['text', message],
    ['ping', hexOf('now')],
    ['binary', message],
    ['close', 1013, ''],
  ]);
});
