import { setImmediate as nextTurn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newTranscoding, wideLimits } from '../codec/transcoding.fixture.ts';
import { MessageCodec, zeroCodecBytes } from '../codec/message-codec.ts';
import { ToyCodec } from '../codec/toy-codec.fixture.ts';
import { GatewayMetrics, indexByName } from '../metrics/gateway-metrics.ts';
import type { Lease, LeaseFigures } from '../pool/client-side.ts';
import { Turn } from '../pool/turn.ts';
import { localLimits } from '../ratelimit/limits.fixture.ts';
import { errorTypes } from './close-codes.ts';
import { Connection, type ClientSocket } from './connection.ts';
import { HeartbeatWheel } from './heartbeat.ts';
import { Outbox } from './outbox.ts';

const maxBackpressureBytes = 1_000;
const maxMessageBytes = 100;

/** An engine's socket: it runs the close handler inside `end` and `close`, and throws at every call after that. */
class TestSocket implements ClientSocket {
  readonly sent: string[] = [];
  /** What `end` was called with, and null for `close`. */
  ended: [code?: number, reason?: string] | null | undefined;
  buffered = 0;
  pings = 0;
  /** The peer reads nothing: what is sent stays here. */
  stalled = false;
  onClose: (code: number, reason: string) => void = () => undefined;
  #closed = false;

  send(message: Uint8Array): number {
    this.#assertOpen();
    this.sent.push(Buffer.from(message).toString());
    if (!this.stalled) return 1;
    this.buffered += message.length;
    return 0;
  }

  ping(): number {
    this.#assertOpen();
    return ++this.pings;
  }

  getBufferedAmount(): number {
    this.#assertOpen();
    return this.buffered;
  }

  cork(callback: () => void): void {
    this.#assertOpen();
    callback();
  }

  end(...closing: [code?: number, reason?: string]): void {
    this.#assertOpen();
    this.ended = closing;
    this.peerCloses(closing[0] ?? 0, closing[1] ?? '');
  }

  close(): void {
    this.#assertOpen();
    this.ended = null;
    this.peerCloses(1006, '');
  }

  /** The close handler runs, whoever caused it. */
  peerCloses(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.onClose(code, reason);
  }

  #assertOpen(): void {
    if (this.#closed) throw new Error('a native call on a closed socket');
  }
}

class TestLease implements Lease {
  readonly chargesRequests = false;
  readonly messages: string[] = [];
  readonly releases: [code: number, reason: string][] = [];
  takes = true;
  busy = false;
  refusals = 0;

  send(bytes: Uint8Array): boolean {
    this.messages.push(Buffer.from(bytes).toString());
    return this.takes;
  }

  figures(): LeaseFigures {
    return { inFlight: this.messages.length, waiting: 0 };
  }

  refuseNew(): void {
    this.refusals++;
  }

  release(code: number, reason: string): void {
    this.releases.push([code, reason]);
  }
}

/** One client between a socket and a lease. */
class World {
  readonly faults: unknown[] = [];
  readonly socket = new TestSocket();
  readonly lease = new TestLease();
  readonly metrics = new GatewayMetrics({ errorTypes, rejectReasons: [] });
  readonly heartbeat = new HeartbeatWheel({
    intervalMs: 1_000,
    timeoutMs: 1_000,
    now: () => 0,
    onRtt: () => undefined,
  });
  readonly client: Connection;

  constructor(codec?: MessageCodec) {
    const turn = new Turn({ onError: (fault) => this.faults.push(fault) });
    const { metrics, heartbeat } = this;
    const outbox = new Outbox(turn);
    const errorIndex = indexByName(errorTypes);
    const transcoding = newTranscoding((fault) => this.faults.push(fault));
    const context = {
      metrics,
      log: { debug: () => undefined },
      errorIndex,
      outbox,
      turn,
      heartbeat,
      limits: localLimits(),
      now: () => 0,
      clockMs: () => 0,
      transcoding,
      transcoderLimits: wideLimits,
      maxMessageBytes,
      maxBackpressureBytes,
    };
    const seat = { protocol: '', attach: () => this.lease, vacate: () => undefined };
    this.client = new Connection(context, {
      id: 7,
      socket: this.socket,
      seat,
      keys: { ip: '127.0.0.1', identity: '127.0.0.1', route: '/ws' },
      codec,
      requestId: 'r-7',
    });
    this.socket.onClose = (code, reason) => this.client.onClosed(code, reason);
  }

  frame(text: string, isBinary = false): void {
    const bytes = new TextEncoder().encode(text);
    this.client.onFrame(bytes.buffer, isBinary);
    // The engine takes the memory back.
    bytes.fill(0);
  }

  deliver(text: string): void {
    const bytes = Buffer.from(text);
    this.client.deliver(bytes, 0, bytes.length, false);
  }

  /** The error types that were counted, as often as they were. */
  errors(): string[] {
    return this.metrics.errorCounts().flatMap(({ label, count }) => new Array<string>(count).fill(label));
  }
}

describe('a connection', () => {
  it('hands messages to its lease and replies to its socket, and counts both', async () => {
    const world = new World();
    world.frame('ask');
    world.deliver('answer');
    await nextTurn();
    expect(world.lease.messages).toEqual(['ask']);
    expect(world.socket.sent).toEqual(['answer']);
    const { messagesReceived, bytesReceived, messagesSent, bytesSent, connectionsOpen } = world.metrics;
    expect({ messagesReceived, bytesReceived, messagesSent, bytesSent, connectionsOpen }).toEqual({
      messagesReceived: 1,
      bytesReceived: 3,
      messagesSent: 1,
      bytesSent: 6,
      connectionsOpen: 1,
    });
    const { client } = world;
    expect([client.messagesReceived, client.bytesReceived, client.messagesSent, client.bytesSent]).toEqual([
      1, 3, 1, 6,
    ]);
  });

  it('ends with 1008 when an operator closes it, which is no error, after what it had collected', async () => {
    const world = new World();
    world.deliver('collected');
    world.client.dismiss();
    world.frame('ignored');
    await nextTurn();
    expect(world.socket.sent).toEqual(['collected']);
    expect(world.socket.ended).toEqual([1008, 'closed by an operator']);
    expect([world.lease.messages, world.errors()]).toEqual([[], []]);
  });

  it('takes a message of maxMessageBytes, and ends with 1009 for one byte more, which goes nowhere', async () => {
    const world = new World();
    world.frame('x'.repeat(maxMessageBytes));
    world.frame('y'.repeat(maxMessageBytes + 1));
    world.frame('z');
    await nextTurn();
    expect(world.lease.messages).toEqual(['x'.repeat(maxMessageBytes)]);
    expect(world.socket.ended?.[0]).toBe(1009);
    expect(world.errors()).toEqual(['message-too-big']);
  });

  it('ends with 1013 when its upstream reads too slowly', async () => {
    const world = new World();
    world.lease.takes = false;
    world.frame('x');
    await nextTurn();
    expect(world.socket.ended?.[0]).toBe(1013);
    expect(world.errors()).toEqual(['upstream-slow']);
  });

  it('lets maxBackpressureBytes wait for a slow reader, and ends it with 1013 beyond', async () => {
    const world = new World();
    world.socket.stalled = true;
    world.deliver('x'.repeat(maxBackpressureBytes));
    await nextTurn();
    expect(world.socket.ended).toBeUndefined();
    for (const text of ['over', 'never', 'sent']) world.deliver(text);
    await nextTurn();
    await nextTurn();
    expect(world.socket.ended?.[0]).toBe(1013);
    expect(world.socket.sent.slice(1)).toEqual(['over']);
    expect(world.errors()).toEqual(['slow-reader']);
  });

  it('bears a full socket buffer as long as it is under the limit', async () => {
    const world = new World();
    world.socket.stalled = true;
    for (let i = 0; i < 10; i++) world.deliver('x'.repeat(50));
    await nextTurn();
    await nextTurn();
    expect([world.socket.sent.length, world.socket.ended]).toEqual([10, undefined]);
  });

  it('sends what it had collected before it ends, and nothing after', async () => {
    const world = new World();
    world.deliver('collected');
    world.client.drain();
    world.deliver('late');
    world.client.send(Buffer.from('late too'), false);
    world.client.sendPing();
    world.frame('ignored');
    await nextTurn();
    world.deliver('far too late');
    await nextTurn();
    expect(world.socket.sent).toEqual(['collected']);
    expect(world.socket.ended?.[0]).toBe(1001);
    expect([world.lease.messages, world.socket.pings, world.errors()]).toEqual([[], 0, []]);
  });

  it('never ends its socket from inside a call of its lease or of the engine', () => {
    const world = new World();
    world.lease.takes = false;
    world.frame('x');
    world.client.onUpstreamClose(1000, '');
    expect(world.socket.ended).toBeUndefined();
  });

  it.each([
    [1005, undefined],
    [1006, 1012],
    [1000, 1000],
    [1001, 1001],
    [1008, 1008],
    [1011, 1011],
    [1012, 1012],
    [1013, 1013],
    [1014, 1014],
    [3000, 3000],
    [3999, 3999],
    [4000, 4000],
    [4999, 4999],
    [1004, 1012],
    [1015, 1012],
    [0, 1012],
    [999, 1012],
    [2999, 1012],
    [5000, 1012],
  ])('answers an upstream that closed with %i by %s', async (code, told) => {
    const world = new World();
    world.client.onUpstreamClose(code, 'why');
    await nextTurn();
    expect(world.socket.ended?.[0]).toBe(told);
    if (told === code) expect(world.socket.ended?.[1]).toBe('why');
    const ours = told === 1012 && code !== 1012;
    expect(world.errors()).toEqual(ours ? ['upstream-lost'] : []);
  });

  it('tells its lease how the client closed', () => {
    for (const [code, reason] of [
      [1000, 'bye'],
      [1005, ''],
      [1006, ''],
      [4000, 'mine'],
    ] as const) {
      const world = new World();
      world.socket.peerCloses(code, reason);
      expect(world.lease.releases).toEqual([[code, reason]]);
    }
  });

  it('is cut without a close frame when its heartbeat is lost', () => {
    const world = new World();
    world.client.onHeartbeatLost();
    expect(world.socket.ended).toBeNull();
    expect(world.errors()).toEqual(['heartbeat']);
    expect(world.lease.releases).toHaveLength(1);
  });

  it('pings, and counts a pong or a message as a sign of life', () => {
    const world = new World();
    world.client.sendPing();
    world.client.pingSentAtMs = 5;
    world.frame('x');
    expect([world.socket.pings, world.client.pingSentAtMs]).toEqual([1, 0]);
    world.client.pingSentAtMs = 5;
    world.client.onPong();
    expect(world.client.pingSentAtMs).toBe(0);
  });

  it('passes on that it is busy, and that it is to refuse', () => {
    const world = new World();
    expect(world.client.busy).toBe(false);
    world.lease.busy = true;
    expect(world.client.busy).toBe(true);
    world.client.leaveWhenIdle();
    expect(world.lease.refusals).toBe(1);
  });

  it('that is to leave is closed instead of asking for more, but not before it has its answers', async () => {
    const world = new World();
    world.lease.busy = true;
    world.client.leaveWhenIdle();
    world.frame('the lease says no');
    await nextTurn();
    expect([world.lease.messages, world.socket.ended]).toEqual([['the lease says no'], undefined]);
    world.lease.busy = false;
    world.frame('never carried out');
    await nextTurn();
    expect(world.lease.messages).toEqual(['the lease says no']);
    expect(world.socket.ended).toEqual([1001, 'going away, reconnect']);
    expect(world.errors()).toEqual([]);
  });

  it('releases its lease exactly once, ends its socket at most once and sends nothing after, whatever happens in which order', async () => {
    const events = {
      frame: (world: World) => world.frame('x'),
      bigFrame: (world: World) => world.frame('x'.repeat(maxMessageBytes + 1)),
      deliver: (world: World) => world.deliver('x'.repeat(90)),
      deliverLarge: (world: World) => world.deliver('x'.repeat(70_000)),
      send: (world: World) => world.client.send(Buffer.from('x'.repeat(90)), false),
      stall: (world: World) => void (world.socket.stalled = true),
      slowUpstream: (world: World) => void (world.lease.takes = false),
      upstreamLost: (world: World) => world.client.onUpstreamClose(1006, ''),
      upstreamCloses: (world: World) => world.client.onUpstreamClose(4000, 'bye'),
      upstreamClosesEmpty: (world: World) => world.client.onUpstreamClose(1005, ''),
      drain: (world: World) => world.client.drain(),
      leave: (world: World) => world.client.leaveWhenIdle(),
      dismiss: (world: World) => world.client.dismiss(),
      ping: (world: World) => world.client.sendPing(),
      heartbeatLost: (world: World) => world.client.onHeartbeatLost(),
      clientCloses: (world: World) => world.socket.peerCloses(1000, ''),
      turn: () => nextTurn(),
    } satisfies Record<string, (world: World) => Promise<void> | void>;
    /** What the engine, the heartbeat or a lease do only to a client that is there. */
    const onlyOpen = new Set<string>([
      'frame',
      'bigFrame',
      'ping',
      'heartbeatLost',
      'upstreamLost',
      'upstreamCloses',
      'upstreamClosesEmpty',
    ]);
    const name = fc.constantFrom(...(Object.keys(events) as (keyof typeof events)[]));
    const run = async (names: readonly (keyof typeof events)[]): Promise<void> => {
      const world = new World();
      for (const event of names) {
        const closed = world.lease.releases.length > 0;
        if (!closed || !onlyOpen.has(event)) await events[event](world);
        expect(world.lease.releases.length).toBeLessThanOrEqual(1);
        expect(world.metrics.connectionsOpen).toBe(1 - world.lease.releases.length);
      }
      await nextTurn();
      world.socket.peerCloses(1006, '');
      await nextTurn();
      expect(world.lease.releases).toHaveLength(1);
      expect(world.metrics.connectionsOpen).toBe(0);
      expect(world.client.heartbeatSlot).toBe(-1);
      // The socket throws at whatever is done to it after its end.
      expect(world.faults).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(fc.array(name, { maxLength: 25 }), run), { numRuns: 1_000 });
  });
});

describe('a connection with a codec', () => {
  function coded() {
    const toy = new ToyCodec();
    const codec = new MessageCodec({
      codec: toy,
      minBytes: 4,
      maxDecodedBytes: 1_000,
      bytes: zeroCodecBytes(),
    });
    return { toy, world: new World(codec) };
  }
  const large = 'l'.repeat(150);

  it('unpacks what comes in and packs what goes out', async () => {
    const { world } = coded();
    world.frame('\x03a5;', true);
    world.frame('plain');
    world.deliver('bbbbbbbb');
    await nextTurn();
    expect(world.lease.messages).toEqual(['aaaaa', 'plain']);
    expect(world.socket.sent).toEqual(['\x03b8;']);
  });

  it.each([
    ['\x03garbage', 1007, 'undecodable'],
    ['\x08', 1007, 'undecodable'],
    ['', 1007, 'undecodable'],
    ['\x01a1001;', 1009, 'decoded-too-big'],
    ['\x01Sarbage', 1007, 'undecodable'],
  ])('ends for %j with %i, and takes nothing more', async (wire, code, type) => {
    const { world, toy } = coded();
    world.frame(wire, true);
    if (toy.waiting > 0) await toy.work();
    world.frame('after');
    await nextTurn();
    expect(world.socket.ended?.[0]).toBe(code);
    expect(world.errors()).toEqual([type]);
    expect(world.lease.messages).toEqual([]);
  });

  it('is busy while a message is in the thread pool', async () => {
    const { world, toy } = coded();
    world.deliver(large);
    await nextTurn();
    expect(world.client.busy).toBe(true);
    await toy.work();
    expect(world.client.busy).toBe(false);
    expect(world.socket.sent).toEqual(['\x03l150;']);
  });

  it('sends what its upstream said before it follows it in closing', async () => {
    const { world, toy } = coded();
    world.deliver(large);
    world.deliver('last');
    world.client.onUpstreamClose(4000, 'bye');
    await nextTurn();
    expect(world.socket.ended).toBeUndefined();
    await toy.work();
    await nextTurn();
    expect(world.socket.sent).toEqual(['\x03l150;', 'last']);
    expect(world.socket.ended).toEqual([4000, 'bye']);
  });

  it('releases its lease once, after what the client said before it left', async () => {
    const { world, toy } = coded();
    world.frame('\x03S5;', true);
    world.frame('last');
    let released = 0;
    world.client.onClosed(1000, 'done', () => released++);
    expect([world.lease.releases, released, world.client.busy]).toEqual([[], 0, true]);
    await toy.work();
    expect(released).toBe(1);
    expect(world.lease.messages).toEqual(['SSSSS', 'last']);
    expect(world.lease.releases).toEqual([[1000, 'done']]);
  });

  it('takes nothing more from the lane once it was ended for a reason of its own', async () => {
    const { world, toy } = coded();
    world.frame('\x03S5;', true);
    world.frame('waits');
    world.frame('y'.repeat(maxMessageBytes + 2));
    await nextTurn();
    while (toy.waiting > 0) await toy.work();
    expect(world.socket.ended?.[0]).toBe(1009);
    expect(world.lease.messages).toEqual([]);
  });

  it('releases its lease exactly once and keeps the order, whatever happens while messages are in the thread pool', async () => {
    type Coded = ReturnType<typeof coded>;
    const events = {
      slowFrame: ({ world }: Coded, n: number) => world.frame(`\x01S${n};`, true),
      frame: ({ world }: Coded, n: number) => world.frame(`\x01a${n};`, true),
      badFrame: ({ world }: Coded) => world.frame('\x01bad', true),
      deliver: ({ world }: Coded, n: number) => world.deliver('x'.repeat(n)),
      deliverLarge: ({ world }: Coded, n: number) => world.deliver('l'.repeat(150 + n)),
      upstreamCloses: ({ world }: Coded) => world.client.onUpstreamClose(4000, 'bye'),
      drain: ({ world }: Coded) => world.client.drain(),
      dismiss: ({ world }: Coded) => world.client.dismiss(),
      clientCloses: ({ world }: Coded) => world.socket.peerCloses(1000, ''),
      work: async ({ toy }: Coded) => {
        if (toy.waiting > 0) await toy.work();
      },
      turn: () => nextTurn(),
    } satisfies Record<string, (coded: Coded, n: number) => Promise<void> | void>;
    const name = fc.constantFrom(...(Object.keys(events) as (keyof typeof events)[]));
    const run = async (names: readonly (keyof typeof events)[]): Promise<void> => {
      const { world, toy } = coded();
      const asked: string[] = [];
      for (const [n, event] of names.entries()) {
        const open = world.metrics.connectionsOpen === 1;
        if (!open && !['work', 'turn'].includes(event)) continue;
        if (event === 'slowFrame') asked.push('S'.repeat(n));
        if (event === 'frame') asked.push('a'.repeat(n));
        await events[event]({ world, toy }, n);
        expect(world.lease.releases.length).toBeLessThanOrEqual(1);
      }
      await nextTurn();
      world.socket.peerCloses(1006, '');
      while (toy.waiting > 0) await toy.work();
      await nextTurn();
      expect(world.lease.messages).toEqual(asked.slice(0, world.lease.messages.length));
      if (!names.some((event) => ['badFrame', 'upstreamCloses', 'drain', 'dismiss'].includes(event)))
        expect(world.lease.messages).toEqual(asked);
      expect(world.lease.releases).toHaveLength(1);
      expect(world.client.busy).toBe(false);
      expect(world.faults).toEqual([]);
    };
    await fc.assert(fc.asyncProperty(fc.array(name, { maxLength: 25 }), run), { numRuns: 300 });
  });
});
