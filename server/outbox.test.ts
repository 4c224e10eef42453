import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newTranscoding, wideLimits } from '../codec/transcoding.fixture.ts';
import { GatewayMetrics, indexByName } from '../metrics/gateway-metrics.ts';
import { Turn } from '../pool/turn.ts';
import { localLimits } from '../ratelimit/limits.fixture.ts';
import { errorTypes } from './close-codes.ts';
import { Connection, type ClientSocket, type ConnectionContext } from './connection.ts';
import { HeartbeatWheel } from './heartbeat.ts';
import { Outbox } from './outbox.ts';

const kib = 1024;

/** A socket that copies what it is sent, as the engine does, and throws once it is closed, as the engine does. */
class TestSocket implements ClientSocket {
  readonly received: Buffer[] = [];
  readonly kinds: boolean[] = [];
  corks = 0;
  writesOutsideCorks = 0;
  ends = 0;
  onClosed: () => void = () => undefined;
  #corked = false;
  #closed = false;

  send(message: Uint8Array, isBinary: boolean): number {
    this.#assertOpen();
    this.received.push(Buffer.from(message));
    this.kinds.push(isBinary);
    if (!this.#corked) this.writesOutsideCorks++;
    return 1;
  }

  cork(callback: () => void): void {
    this.#assertOpen();
    this.corks++;
    this.#corked = true;
    callback();
    this.#corked = false;
  }

  end(): void {
    this.ends++;
    this.close();
  }

  close(): void {
    this.#assertOpen();
    this.#closed = true;
    this.onClosed();
  }

  ping(): number {
    this.#assertOpen();
    return 1;
  }

  getBufferedAmount(): number {
    this.#assertOpen();
    return 0;
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('a native call on a closed socket');
  }
}

/** An outbox, its clients, and a buffer that is overwritten after each message, as a network buffer is. */
class World {
  readonly faults: unknown[] = [];
  readonly sockets: TestSocket[] = [];
  readonly clients: Connection[] = [];
  readonly outbox: Outbox;
  readonly #context: ConnectionContext;
  readonly #network = Buffer.alloc(2 ** 21);

  constructor(clientCount = 0) {
    const turn = new Turn({ onError: (fault) => this.faults.push(fault) });
    this.outbox = new Outbox(turn);
    this.#context = {
      metrics: new GatewayMetrics({ errorTypes, rejectReasons: [] }),
      log: { debug: () => undefined },
      errorIndex: indexByName(errorTypes),
      outbox: this.outbox,
      turn,
      heartbeat: new HeartbeatWheel({ intervalMs: 0, timeoutMs: 0, now: () => 0, onRtt: () => undefined }),
      limits: localLimits(),
      now: () => 0,
      clockMs: () => 0,
      transcoding: newTranscoding((fault) => this.faults.push(fault)),
      transcoderLimits: wideLimits,
      maxMessageBytes: kib,
      maxBackpressureBytes: kib,
    };
    for (let i = 0; i < clientCount; i++) this.connect();
  }

  connect(): void {
    const socket = new TestSocket();
    const lease = {
      chargesRequests: false,
      send: () => true,
      busy: false,
      figures: () => ({ inFlight: 0, waiting: 0 }),
      refuseNew: () => undefined,
      release: () => undefined,
    };
    const seat = { protocol: '', attach: () => lease, vacate: () => undefined };
    const keys = { ip: '', identity: '', route: '/ws' };
    const client = new Connection(this.#context, {
      id: 1,
      socket,
      seat,
      keys,
      codec: undefined,
      requestId: '',
    });
    socket.onClosed = () => client.onClosed(1006, '');
    this.sockets.push(socket);
    this.clients.push(client);
  }

  deliver(client: number, message: Buffer, isBinary = false): void {
    const start = 7;
    const end = start + message.copy(this.#network, start);
    this.clients[client]!.deliver(this.#network, start, end, isBinary);
    this.#network.fill('!', 0, end + 1);
  }

  /** Delivers head + id + tail, out of a message that holds `foreignId` in the place of `id`. */
  deliverSpliced(client: number, parts: { head: Buffer; foreignId: Buffer; tail: Buffer; id: Buffer }): void {
    const { head, foreignId, tail, id } = parts;
    const start = 3;
    const cutStart = start + head.copy(this.#network, start);
    const cutEnd = cutStart + foreignId.copy(this.#network, cutStart);
    const end = cutEnd + tail.copy(this.#network, cutEnd);
    const ids = Buffer.concat([Buffer.from('<'), id, Buffer.from('>')]);
    this.clients[client]!.deliverSpliced(this.#network, start, cutStart, cutEnd, end, ids, 1, 1 + id.length);
    this.#network.fill('!', 0, end + 1);
    ids.fill('!');
  }

  received(client: number): Buffer[] {
    return this.sockets[client]!.received;
  }
}

interface Step {
  readonly what: 'plain' | 'spliced' | 'turn' | 'close' | 'drain';
  readonly client: number;
  readonly size: number;
}

/** A message that says whose it is in every byte, and which one it is at its start. */
function message(client: number, number: number, bytes: number): Buffer {
  const all = Buffer.alloc(bytes, String.fromCharCode(97 + client));
  all.write(String(number));
  return all;
}

describe('Outbox', () => {
  it('sends nothing before the turn ends, then all of it', async () => {
    const world = new World(1);
    world.deliver(0, Buffer.from('one'));
    world.deliver(0, Buffer.from('two'), true);
    expect(world.received(0)).toEqual([]);
    await nextTurn();
    expect(world.received(0).map(String)).toEqual(['one', 'two']);
    expect(world.sockets[0]!.kinds).toEqual([false, true]);
  });

  it('sends several messages to a client in one cork, and a single one without', async () => {
    const world = new World(2);
    for (let i = 0; i < 64; i++) world.deliver(0, message(0, i, 100));
    world.deliver(1, message(1, 0, 100));
    await nextTurn();
    expect(world.sockets.map(({ corks }) => corks)).toEqual([1, 0]);
    expect(world.sockets.map(({ writesOutsideCorks }) => writesOutsideCorks)).toEqual([0, 1]);
  });

  it('sends empty messages', async () => {
    const world = new World(1);
    for (const text of ['', 'x', '']) world.deliver(0, Buffer.from(text));
    await nextTurn();
    expect(world.received(0).map(String)).toEqual(['', 'x', '']);
  });

  it('holds more messages than it has places for in one turn', async () => {
    const world = new World(3);
    const count = 40_000;
    for (let i = 0; i < count; i++) world.deliver(i % 3, Buffer.from(String(i)));
    await nextTurn();
    for (const client of [0, 1, 2]) {
      const expected = Array.from({ length: count }, (_, i) => i).filter((i) => i % 3 === client);
      expect(world.received(client).map(Number)).toEqual(expected);
    }
  });

  it('holds more bytes than it has room for in one turn', async () => {
    const world = new World(2);
    const sizes = Array.from({ length: 80 }, (_, i) => 50 * kib + i);
    for (const [i, bytes] of sizes.entries()) world.deliver(i % 2, message(i % 2, i, bytes));
    await nextTurn();
    for (const client of [0, 1]) {
      const expected = sizes.flatMap((bytes, i) => (i % 2 === client ? [message(client, i, bytes)] : []));
      expect(Buffer.concat(world.received(client)).equals(Buffer.concat(expected))).toBe(true);
    }
  });

  it.each([64 * kib - 1, 64 * kib, 64 * kib + 1, 2 ** 20, 2 ** 20 + 1])(
    'keeps a message of %i bytes in its place',
    async (bytes) => {
      const world = new World(2);
      world.deliver(0, Buffer.from('before'));
      world.deliver(1, Buffer.from('other'));
      world.deliver(0, message(0, 1, bytes));
      const parts = {
        head: message(0, 2, bytes - 9),
        foreignId: Buffer.from('777777'),
        tail: Buffer.from('tail'),
      };
      world.deliverSpliced(0, { ...parts, id: Buffer.from('"abc"') });
      world.deliver(0, Buffer.from('after'));
      await nextTurn();
      const spliced = Buffer.concat([message(0, 2, bytes - 9), Buffer.from('"abc"tail')]);
      const expected = [Buffer.from('before'), message(0, 1, bytes), spliced, Buffer.from('after')];
      expect(world.received(0).map((one) => one.length)).toEqual(expected.map((one) => one.length));
      expect(Buffer.concat(world.received(0)).equals(Buffer.concat(expected))).toBe(true);
      expect(world.received(1).map(String)).toEqual(['other']);
    },
  );

  it('sends the others theirs when one client closes before the turn ends', async () => {
    const world = new World(3);
    for (const client of [0, 1, 2, 0, 1, 2]) world.deliver(client, message(client, 0, 10));
    world.sockets[1]!.close();
    await nextTurn();
    expect(world.faults).toEqual([]);
    expect([0, 1, 2].map((client) => world.received(client).length)).toEqual([2, 0, 2]);
  });

  it('gives each client its own messages in their order, and never a byte of another', async () => {
    const size = fc.oneof(
      { weight: 6, arbitrary: fc.integer({ min: 0, max: 200 }) },
      { weight: 3, arbitrary: fc.integer({ min: 30 * kib, max: 64 * kib }) },
      { weight: 1, arbitrary: fc.integer({ min: 64 * kib, max: 300 * kib }) },
    );
    const client = fc.nat(3);
    const step = fc.oneof(
      { weight: 8, arbitrary: fc.record({ what: fc.constant('plain' as const), client, size }) },
      { weight: 8, arbitrary: fc.record({ what: fc.constant('spliced' as const), client, size }) },
      {
        weight: 2,
        arbitrary: fc.record({
          what: fc.constantFrom('turn' as const, 'close' as const, 'drain' as const),
          client,
          size,
        }),
      },
    );
    const run = async (steps: readonly Step[]): Promise<void> => {
      const world = new World(4);
      const expected: Buffer[][] = [[], [], [], []];
      const open = new Set([0, 1, 2, 3]);
      for (const [number, { what, client, size }] of steps.entries()) {
        if (what === 'plain') world.deliver(client, message(client, number, size));
        if (what === 'spliced') {
          const [head, tail] = [message(client, number, size), message(client, number, 5)];
          const [foreignId, id] = [
            Buffer.from(String(10 ** (number % 9))),
            message(client, number, number % 20),
          ];
          world.deliverSpliced(client, { head, foreignId, tail, id });
          if (open.has(client)) expected[client]!.push(Buffer.concat([head, id, tail]));
        }
        if (what === 'plain' && open.has(client)) expected[client]!.push(message(client, number, size));
        if (what === 'turn') await nextTurn();
        if (what === 'drain') world.clients[client]!.drain();
        if (what === 'close' && open.has(client)) {
          if (world.sockets[client]!.ends === 0) world.sockets[client]!.close();
          // What had not left yet is lost with its client.
          expected[client]!.length = world.received(client).length;
        }
        if (what === 'drain' || what === 'close') open.delete(client);
      }
      await nextTurn();
      await nextTurn();
      expect(world.faults).toEqual([]);
      for (const client of [0, 1, 2, 3]) {
        const received = world.received(client);
        expect(received.map((one) => one.length)).toEqual(expected[client]!.map((one) => one.length));
        expect(Buffer.concat(received).equals(Buffer.concat(expected[client]!))).toBe(true);
      }
    };
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 120 }), run), { numRuns: 60 });
  });
});
