import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeastConnections } from '../balancers/least-connections.ts';
import type { ClientSide, Lease, NoSeat, Seat } from '../client-side.ts';
import { Connector } from '../connector.ts';
import { plainDial, type DialRequest } from '../dial.ts';
import { Endpoint } from '../endpoint.ts';
import { noLog } from '../log.fixture.ts';
import { noObserver } from '../observer.fixture.ts';
import { closePayload, frame } from '../wire/frames.fixture.ts';
import { Opcode } from '../wire/opcode.ts';
import { FakeDialer, type FakeConnection } from './fake-upstream.fixture.ts';
import { SessionMode } from './session.ts';

const special: DialRequest = { protocols: ['chat'], headers: [['cookie', 'a=1']], query: 'x=1' };

class Client implements ClientSide {
  readonly id = 1;
  readonly requestId = '';
  readonly isLimited = false;
  readonly got: string[] = [];
  readonly closes: [number, string][] = [];

  charge(): number {
    return 0;
  }

  chargeBatch(): never[] {
    return [];
  }

  unreadBytes(): number {
    return 0;
  }

  endSlowReader(): void {
    throw new Error('this client is not slow');
  }

  deliver(buf: Uint8Array, start: number, end: number, isBinary: boolean): void {
    this.got.push(`${isBinary ? 'binary' : 'text'} ${Buffer.from(buf.subarray(start, end)).toString()}`);
  }

  deliverSpliced(): void {
    throw new Error('nothing is spliced in a session');
  }

  send(): void {
    throw new Error('a session says nothing of its own');
  }

  onUpstreamClose(code: number, reason: string): void {
    this.closes.push([code, reason]);
  }
}

class Setup {
  readonly dialer: FakeDialer;
  readonly endpoints: Endpoint[];
  readonly connector: Connector;
  readonly mode: SessionMode;
  readonly seats: Seat[] = [];
  readonly refusals: NoSeat[] = [];
  readonly replied: number[] = [];
  readonly slow: [ms: number, upstream: string][] = [];

  constructor({
    warm = 0,
    endpoints = 1,
    maxConnections = 5,
    maxBufferedBytes = 65_536,
    protocol = '',
  } = {}) {
    this.dialer = new FakeDialer({ maxBufferedBytes, protocol });
    this.endpoints = Array.from(
      { length: endpoints },
      (_, n) => new Endpoint({ url: `ws://10.0.0.1:${n + 1}`, trusted: true }),
    );
    this.connector = new Connector({
      pool: 'main',
      endpoints: this.endpoints,
      dialer: this.dialer,
      balancer: new LeastConnections({ random: () => 0.5 }),
      maxConnections,
      reconnect: { baseDelayMs: 2_500, maxDelayMs: 10_000, factor: 2, jitter: false },
      now: () => Date.now(),
      random: () => 0.5,
      log: noLog,
    });
    this.mode = new SessionMode({
      connector: this.connector,
      warmConnections: warm,
      maxGreetingBytes: 1_000,
      acquireTimeoutMs: 5_000,
      now: () => Date.now(),
      observer: {
        ...noObserver,
        replied: (seconds) => this.replied.push(seconds),
        slowMs: 1_000,
        slow: (_, ms, upstream) => this.slow.push([ms, upstream]),
      },
    });
  }

  acquire(request: DialRequest): () => void {
    return this.mode.acquire(request, {
      onSeat: (seat) => this.seats.push(seat),
      onRefused: (refusal) => this.refusals.push(refusal),
    });
  }

  openAll(): void {
    while (this.dialer.pending.length > 0) this.dialer.pending[0]!.open();
  }

  /** A client on a connection of its own. */
  seat(): { client: Client; lease: Lease; connection: FakeConnection } {
    this.acquire(special);
    const connection = this.dialer.pending[0]!.open();
    const client = new Client();
    return { client, lease: this.seats.pop()!.attach(client), connection };
  }
}

const say = (lease: Lease, text: string, isBinary = false): boolean =>
  lease.send(new Uint8Array(Buffer.from(text)), isBinary);
const turn = (): void => {
  vi.advanceTimersByTime(0);
};

describe('SessionMode', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });

  afterEach(() => {
    vi.clearAllTimers();
    vi.useRealTimers();
  });

  it('dials with what the client asks for and gives it the subprotocol that the upstream chose', () => {
    const setup = new Setup({ protocol: 'chat' });
    setup.acquire(special);
    expect(setup.dialer.pending[0]!.request).toMatchObject(special);
    expect(setup.seats).toEqual([]);
    setup.openAll();
    expect(setup.seats).toMatchObject([{ protocol: 'chat' }]);
    expect(setup.mode.figures().connections).toMatchObject({ busy: 1, idle: 0 });
  });

  it('keeps warm connections for clients that need nothing special, and replaces those that are taken', () => {
    const setup = new Setup({ warm: 2 });
    setup.openAll();
    expect(setup.mode.figures().connections.idle).toBe(2);
    setup.acquire(plainDial);
    expect(setup.seats).toHaveLength(1);
    expect(setup.mode.figures().connections).toMatchObject({ busy: 1, idle: 1 });
    vi.advanceTimersByTime(1_000);
    setup.openAll();
    expect(setup.mode.figures().connections).toMatchObject({ busy: 1, idle: 2 });
  });

  it('gives no warm connection to a client that needs a header, a subprotocol or a query', () => {
    for (const wish of [{ protocols: ['x'] }, { headers: [['cookie', 'a']] as const }, { query: 'a=1' }]) {
      const setup = new Setup({ warm: 1 });
      setup.openAll();
      setup.acquire({ ...plainDial, ...wish });
      expect(setup.seats).toEqual([]);
      expect(setup.dialer.pending).toHaveLength(1);
    }
  });

  it('carries text and binary messages both ways', () => {
    const { client, lease, connection } = new Setup().seat();
    expect(say(lease, 'hello')).toBe(true);
    say(lease, '\u0001', true);
    turn();
    expect(connection.frames.map(({ opcode }) => opcode)).toEqual([Opcode.Text, Opcode.Binary]);
    connection.say('hi');
    connection.say('\u0002', Opcode.Binary);
    expect(client.got).toEqual(['text hi', 'binary \u0002']);
  });

  it('gives no two clients the same connection', () => {
    const setup = new Setup({ warm: 2 });
    setup.openAll();
    setup.acquire(plainDial);
    setup.acquire(plainDial);
    const [one, other] = setup.seats.map((seat) => {
      const client = new Client();
      return { client, lease: seat.attach(client) };
    });
    say(one!.lease, 'mine');
    turn();
    const mine = setup.dialer.opened.filter(({ texts }) => texts.includes('mine'));
    expect(mine).toHaveLength(1);
    mine[0]!.say('yours');
    expect(one!.client.got).toEqual(['text yours']);
    expect(other!.client.got).toEqual([]);
  });

  it('delivers first what the upstream said before there was a client', () => {
    const setup = new Setup({ warm: 1 });
    setup.openAll();
    setup.dialer.opened[0]!.say('welcome');
    setup.acquire(plainDial);
    const client = new Client();
    setup.seats[0]!.attach(client);
    setup.dialer.opened[0]!.say('go on');
    expect(client.got).toEqual(['text welcome', 'text go on']);
  });

  it('keeps what was said before there was a client apart from what is read later into the same memory', () => {
    const setup = new Setup({ warm: 1 });
    setup.openAll();
    const network = frame({ opcode: Opcode.Text, payload: 'welcome' });
    setup.dialer.opened[0]!.feed(network);
    network.fill('!');
    setup.acquire(plainDial);
    const client = new Client();
    setup.seats[0]!.attach(client);
    expect(client.got).toEqual(['text welcome']);
  });

  it('drops an idle connection that says too much', () => {
    const setup = new Setup({ warm: 1 });
    setup.openAll();
    setup.dialer.opened[0]!.say('x'.repeat(1_001));
    turn();
    expect(setup.mode.figures().connections.idle).toBe(0);
    expect(setup.connector.total).toBe(0);
    expect(setup.dialer.opened[0]!.closing?.[0]).toBe(1008);
  });

  it('passes the close of the upstream on, code and reason', () => {
    const setup = new Setup();
    const { client, lease, connection } = setup.seat();
    connection.feed(frame({ opcode: Opcode.Close, payload: closePayload(4002, 'over') }));
    expect(client.closes).toEqual([[4002, 'over']]);
    expect(setup.mode.figures()).toMatchObject({ connections: { busy: 0 }, upstreamsLost: 0 });
    expect(setup.connector.total).toBe(0);
    lease.release(4002, 'over');
    expect(setup.connector.total).toBe(0);
  });

  it('says 1006 and counts the upstream as lost when it went without a close frame', () => {
    const setup = new Setup();
    const { client, connection } = setup.seat();
    connection.socket.close();
    expect(client.closes).toEqual([[1006, '']]);
    expect(setup.mode.figures().upstreamsLost).toBe(1);
  });

  it('passes the close of the client on, code and reason, and has room again', () => {
    const setup = new Setup();
    const { client, lease, connection } = setup.seat();
    say(lease, 'last words');
    lease.release(4003, 'bye');
    turn();
    expect(connection.texts).toEqual(['last words']);
    expect(connection.closing).toEqual([4003, 'bye']);
    expect(client.closes).toEqual([]);
    expect(setup.connector.total).toBe(0);
  });

  it('cuts the upstream of a client that vanished', () => {
    const { lease, connection } = new Setup().seat();
    lease.release(1006, '');
    expect(connection.socket.destroyed).toBe(true);
    expect(connection.closing).toBeUndefined();
  });

  it('throws when a lease is released twice', () => {
    const { lease } = new Setup().seat();
    lease.release(1000, '');
    expect(() => lease.release(1000, '')).toThrow(/^bug: /);
  });

  it('closes the connection of a client that did not come', () => {
    const setup = new Setup();
    setup.acquire(special);
    const connection = setup.dialer.pending[0]!.open();
    setup.seats[0]!.vacate();
    turn();
    expect(connection.closing?.[0]).toBe(1001);
    expect(setup.connector.total).toBe(0);
  });

  it('tries every endpoint once before it refuses', () => {
    const setup = new Setup({ endpoints: 3 });
    setup.acquire(special);
    const tried: number[] = [];
    while (setup.dialer.pending.length > 0) {
      tried.push(setup.dialer.pending[0]!.endpoint.port);
      setup.dialer.pending[0]!.fail();
    }
    expect(tried.sort()).toEqual([1, 2, 3]);
    expect(setup.refusals).toEqual([{ status: undefined, retryAfterMs: 2_500 }]);
  });

  it('passes an answer in the 400s on and asks no other endpoint', () => {
    const setup = new Setup({ endpoints: 2 });
    setup.acquire(special);
    setup.dialer.pending[0]!.fail(401);
    expect(setup.refusals).toMatchObject([{ status: 401 }]);
    expect(setup.dialer.pending).toEqual([]);
  });

  it('asks another endpoint after an answer in the 500s', () => {
    const setup = new Setup({ endpoints: 2 });
    setup.acquire(special);
    setup.dialer.pending[0]!.fail(503);
    expect(setup.refusals).toEqual([]);
    setup.openAll();
    expect(setup.seats).toHaveLength(1);
  });

  it('refuses at the cap', () => {
    const setup = new Setup({ maxConnections: 1 });
    setup.seat();
    setup.acquire(special);
    expect(setup.refusals).toMatchObject([{ status: undefined }]);
    expect(setup.dialer.pending).toEqual([]);
  });

  it('shares the time that a client waits between the endpoints', () => {
    const setup = new Setup({ endpoints: 2 });
    setup.acquire(special);
    const { timeoutMs } = setup.dialer.pending[0]!.request;
    expect(timeoutMs).toBeLessThanOrEqual(2_500);
    expect(timeoutMs).toBeGreaterThan(0);
  });

  it('lets a warm connection give way at the cap to a client that needs one of its own', () => {
    const setup = new Setup({ warm: 1, maxConnections: 1 });
    setup.openAll();
    setup.acquire(special);
    expect(setup.refusals).toEqual([]);
    setup.openAll();
    turn();
    expect(setup.seats).toHaveLength(1);
    expect(setup.dialer.opened[0]!.closing?.[0]).toBe(1000);
    expect(setup.connector.total).toBe(1);
  });

  it('looks by itself whether an endpoint that failed is back', () => {
    const setup = new Setup();
    setup.acquire(special);
    setup.dialer.pending[0]!.fail();
    expect(setup.connector.allFailing).toBe(true);
    vi.advanceTimersByTime(3_000);
    setup.openAll();
    turn();
    expect(setup.connector.allFailing).toBe(false);
    expect(setup.connector.total).toBe(0);
  });

  it('gives up the dial of a client that did not wait', () => {
    const setup = new Setup({ endpoints: 2 });
    const giveUp = setup.acquire(special);
    setup.dialer.pending[0]!.fail();
    giveUp();
    expect(setup.dialer.pending).toEqual([]);
    expect(setup.connector.total).toBe(0);
    expect([setup.seats, setup.refusals]).toEqual([[], []]);
  });

  it('does not dial warm connections past the cap nor during the back-off', () => {
    const setup = new Setup({ warm: 9, maxConnections: 3 });
    expect(setup.dialer.pending).toHaveLength(3);
    for (const dial of [...setup.dialer.pending]) dial.fail();
    vi.advanceTimersByTime(1_000);
    expect(setup.dialer.pending).toEqual([]);
    vi.advanceTimersByTime(4_000);
    // A single probe; the rest follows when the endpoint is known to be back.
    expect(setup.dialer.pending).toHaveLength(1);
    setup.openAll();
    vi.advanceTimersByTime(1_000);
    setup.openAll();
    expect(setup.mode.figures().connections.idle).toBe(3);
  });

  it('probes an endpoint that failed once although sessions to it live on', () => {
    const setup = new Setup();
    setup.seat();
    setup.endpoints[0]!.failures = 1;
    vi.advanceTimersByTime(1_000);
    setup.openAll();
    expect(setup.endpoints[0]!.failures).toBe(0);
    expect(setup.mode.figures().connections).toMatchObject({ busy: 1, idle: 0 });
  });

  it('does not dial for itself every second where only clients are let in', () => {
    const setup = new Setup({ warm: 1 });
    setup.dialer.pending[0]!.fail(401);
    vi.advanceTimersByTime(50_000);
    expect(setup.dialer.pending).toEqual([]);
    expect(setup.endpoints[0]!.failures).toBe(0);
    vi.advanceTimersByTime(20_000);
    expect(setup.dialer.pending).toHaveLength(1);
  });

  it('replaces a warm connection that the upstream closed', () => {
    const setup = new Setup({ warm: 1 });
    setup.openAll();
    setup.dialer.opened[0]!.feed(frame({ opcode: Opcode.Close, payload: closePayload(1001) }));
    expect(setup.mode.figures().connections.idle).toBe(0);
    vi.advanceTimersByTime(1_000);
    setup.openAll();
    expect(setup.mode.figures().connections.idle).toBe(1);
  });

  it('does not take a message when the upstream reads too slowly', () => {
    const { lease, connection } = new Setup({ maxBufferedBytes: 100_000 }).seat();
    connection.socket.stall();
    say(lease, 'x');
    turn();
    say(lease, 'x'.repeat(200_000));
    expect(say(lease, 'one too many')).toBe(false);
  });

  it('counts each message that goes on, answered or not', () => {
    const setup = new Setup();
    const { lease, connection } = setup.seat();
    for (const text of ['a', 'b', 'c']) say(lease, text);
    connection.say('one answer');
    expect(setup.mode.figures().passedOn).toBe(3);
  });

  it('is busy from a message until something comes back, or for a while', () => {
    const setup = new Setup();
    const { lease, connection } = setup.seat();
    expect(lease.busy).toBe(false);
    say(lease, 'x');
    vi.advanceTimersByTime(250);
    expect(lease.busy).toBe(true);
    connection.say('y');
    expect(lease.busy).toBe(false);
    expect(setup.replied).toEqual([0.25]);
    expect(setup.slow).toEqual([]);
    say(lease, 'x');
    vi.advanceTimersByTime(1_000);
    connection.say('y');
    expect(setup.slow).toEqual([[1_000, setup.endpoints[0]!.label]]);
    say(lease, 'x');
    vi.advanceTimersByTime(60_000);
    expect(lease.busy).toBe(false);
  });

  it('closes warm and leased connections when it closes, and dials no more', () => {
    const setup = new Setup({ warm: 1 });
    setup.openAll();
    setup.seat();
    setup.mode.close(1001, 'going away');
    vi.advanceTimersByTime(2_000);
    const closings = setup.dialer.opened.map(({ closing }) => closing);
    expect(closings).toEqual([
      [1001, 'going away'],
      [1001, 'going away'],
    ]);
    expect(setup.dialer.pending).toEqual([]);
  });
});
