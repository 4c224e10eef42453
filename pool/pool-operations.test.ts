import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeastConnections } from './balancers/least-connections.ts';
import type { ClientSide, NoSeat, Seat } from './client-side.ts';
import { Connector } from './connector.ts';
import { plainDial } from './dial.ts';
import { Endpoint } from './endpoint.ts';
import { noLog } from './log.fixture.ts';
import { methodTable } from './jsonrpc/method-table.ts';
import { FakeDialer, type FakeConnection } from './modes/fake-upstream.fixture.ts';
import type { RequestLease } from './modes/request-lease.ts';
import { RequestMode } from './modes/request.ts';
import { SessionMode } from './modes/session.ts';
import { noObserver } from './observer.fixture.ts';
import { PoolOperations, type UpstreamFigures } from './pool-operations.ts';

const log = noLog;
const observer = noObserver;
const now = (): number => Date.now();
const random = (): number => 0.5;
const scaling = { scaleUpThreshold: 0.7, scaleDownThreshold: 0.3, scaleIntervalMs: 5_000, maxLifetimeMs: 0 };
const createEndpoint = (url: string): Endpoint => new Endpoint({ url, trusted: true });

class Client implements ClientSide {
  readonly id = 1;
  readonly requestId = '';
  readonly isLimited = false;
  readonly got: string[] = [];
  lease!: RequestLease;

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

  deliver(buf: Uint8Array, start: number, end: number): void {
    this.got.push(Buffer.from(buf.subarray(start, end)).toString());
  }

  deliverSpliced(): void {
    this.got.push('reply');
  }

  send(bytes: Uint8Array): void {
    const { error } = JSON.parse(Buffer.from(bytes).toString()) as { error: { code: number } };
    this.got.push(String(error.code));
  }

  onUpstreamClose(code: number): void {
    this.got.push(`closed ${code}`);
  }

  ask(id: number): void {
    this.lease.send(Buffer.from(JSON.stringify({ jsonrpc: '2.0', id, method: 'm' })), false);
  }
}

interface SetupOptions {
  readonly upstreams?: readonly string[];
  readonly minConnections?: number;
  readonly maxConnections?: number;
  readonly maxSize?: number;
}

class World {
  readonly dialer = new FakeDialer();
  readonly connector: Connector;

  constructor({ upstreams = ['ws://10.0.0.1'], maxConnections = 10 }: SetupOptions) {
    this.connector = new Connector({
      pool: 'main',
      endpoints: upstreams.map(createEndpoint),
      dialer: this.dialer,
      balancer: new LeastConnections({ random }),
      maxConnections,
      reconnect: { baseDelayMs: 10_000, maxDelayMs: 10_000, factor: 1, jitter: false },
      now,
      random,
      log,
    });
  }

  /** Lets every dial that is under way succeed; returns the connections. */
  openAll(): FakeConnection[] {
    return this.dialer.pending.splice(0).map((dial) => dial.open());
  }
}

class RequestWorld extends World {
  readonly mode: RequestMode;
  readonly operations: PoolOperations;

  constructor(options: SetupOptions = {}) {
    super(options);
    this.mode = new RequestMode({
      connector: this.connector,
      balancer: new LeastConnections({ random }),
      limits: {
        minConnections: options.minConnections ?? 1,
        maxInFlightPerConnection: 4,
        maxInFlightPerClient: 100,
        maxBatchSize: 10,
        maxBatchReplyBytes: 10_000,
        requestTimeoutMs: 2_000,
        queue: {
          maxSize: options.maxSize ?? 10,
          maxBytes: 10_000,
          maxBytesPerClient: 10_000,
          timeoutMs: 500,
          priority: { high: 3, medium: 2, low: 1 },
        },
        maxRetries: 0,
        retryBudgetRatio: 0,
        faultCodes: new Set<number>(),
        retryBackoffMs: 10,
        methods: methodTable({ stateful: [], idempotent: [] }),
        idCeiling: 2 ** 52,
      },
      scaling,
      random,
      now,
      observer,
      log,
      name: 'main',
    });
    const { connector, mode } = this;
    this.operations = new PoolOperations({ mode, connector, createEndpoint, now });
  }

  client(): Client {
    const client = new Client();
    client.lease = this.mode.lease(client);
    return client;
  }
}

/** Ids of what the back end was asked. */
function asked(connection: FakeConnection): number[] {
  vi.advanceTimersByTime(0);
  return connection.texts.map((text) => (JSON.parse(text) as { id: number }).id);
}

function answerAll(connection: FakeConnection): void {
  for (const id of asked(connection)) connection.say(JSON.stringify({ jsonrpc: '2.0', id, result: 1 }));
}

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('a pause in request mode', () => {
  it('holds what is asked, is quiet when all before it is answered, and ends with all of it in order', () => {
    const world = new RequestWorld();
    const { operations } = world;
    const [connection] = world.openAll() as [FakeConnection];
    const [client, other] = [world.client(), world.client()];
    client.ask(1);
    operations.pause();
    client.ask(2);
    other.ask(3);
    expect(asked(connection)).toHaveLength(1);
    expect([operations.quiet, operations.inFlight]).toEqual([false, 1]);
    answerAll(connection);
    expect([operations.quiet, operations.inFlight, asked(connection).length]).toEqual([true, 0, 1]);
    expect([client.got, other.got, world.mode.waiting]).toEqual([['reply'], [], 2]);
    operations.resume();
    expect(asked(connection)).toHaveLength(3);
  });

  it('is not quiet while something has not left', () => {
    const world = new RequestWorld();
    const { operations } = world;
    world.openAll();
    world.client().lease.send(Buffer.from('{"jsonrpc":"2.0","method":"n"}'), false);
    operations.pause();
    expect([operations.quiet, operations.inFlight]).toEqual([false, 0]);
    vi.advanceTimersByTime(0);
    expect(operations.quiet).toBe(true);
  });

  it('stops the queue time-out, not the request time-out', () => {
    const world = new RequestWorld();
    const { operations } = world;
    world.openAll();
    operations.pause();
    const client = world.client();
    client.ask(1);
    vi.advanceTimersByTime(1_800);
    client.ask(2);
    expect(client.got).toEqual([]);
    vi.advanceTimersByTime(400);
    expect(client.got).toEqual(['-32001']);
    expect(world.mode.waiting).toBe(1);
  });

  it('lets what is left of the queue wait for its time-out from the end of the pause', () => {
    const world = new RequestWorld({ maxConnections: 1 });
    const { operations } = world;
    world.openAll();
    const client = world.client();
    operations.pause();
    for (let id = 1; id <= 6; id++) client.ask(id);
    vi.advanceTimersByTime(1_000);
    operations.resume();
    vi.advanceTimersByTime(450);
    expect(client.got).toEqual([]);
    vi.advanceTimersByTime(200);
    expect(client.got).toEqual(['-32003', '-32003']);
  });

  it('refuses what the queue has no room for', () => {
    const world = new RequestWorld({ maxSize: 2 });
    const { operations } = world;
    world.openAll();
    operations.pause();
    const client = world.client();
    for (let id = 1; id <= 3; id++) client.ask(id);
    expect(client.got).toEqual(['-32003']);
  });

  it('outlives the loss of all connections, dials nothing meanwhile and everything at its end', () => {
    const world = new RequestWorld();
    const { operations, dialer, connector } = world;
    const [connection] = world.openAll() as [FakeConnection];
    operations.pause();
    connection.socket.destroy();
    const client = world.client();
    client.ask(1);
    vi.advanceTimersByTime(1_500);
    expect([dialer.pending.length, connector.total, world.mode.hopeful]).toEqual([0, 0, true]);
    expect([client.got, world.mode.counts.upstreamsLost]).toEqual([[], 0]);
    operations.resume();
    const [next] = world.openAll() as [FakeConnection];
    expect(asked(next)).toHaveLength(1);
  });

  it('is what its upstreams are said to be, since its beginning', () => {
    const world = new RequestWorld();
    const { operations } = world;
    world.openAll();
    operations.pause();
    vi.advanceTimersByTime(3_000);
    operations.pause();
    expect(operations.upstreams()).toMatchObject([{ state: 'paused', stateAgeMs: 3_000 }]);
    operations.resume();
    expect(operations.upstreams()).toMatchObject([{ state: 'up' }]);
  });

  it('forgets at its end what had failed before', () => {
    const world = new RequestWorld();
    const { operations, dialer, connector } = world;
    dialer.pending[0]!.fail();
    expect([world.mode.hopeful, dialer.pending.length]).toEqual([false, 0]);
    const [upstream] = operations.upstreams();
    expect(upstream).toMatchObject({
      reachable: false,
      retryInMs: 10_000,
      breaker: 'closed',
      ejected: false,
    });
    operations.pause();
    expect(world.mode.hopeful).toBe(true);
    operations.resume();
    expect([connector.allFailing, dialer.pending.length]).toEqual([false, 1]);
  });

  it('bears a dial that was under way, whether it succeeds or fails', () => {
    const world = new RequestWorld({ minConnections: 2 });
    const { operations, dialer } = world;
    operations.pause();
    const client = world.client();
    client.ask(1);
    dialer.pending[0]!.fail();
    const connection = dialer.pending[0]!.open();
    expect([asked(connection), client.got]).toEqual([[], []]);
    operations.resume();
    expect(asked(connection)).toHaveLength(1);
  });

  it('may begin and end more than once', () => {
    const world = new RequestWorld();
    const { operations } = world;
    const [connection] = world.openAll() as [FakeConnection];
    operations.resume();
    operations.pause();
    operations.pause();
    world.client().ask(1);
    operations.resume();
    operations.resume();
    expect(asked(connection)).toHaveLength(1);
  });
});

describe('a reconnect in request mode', () => {
  it('closes old connections when new ones are there and they are empty, and loses nothing', () => {
    const world = new RequestWorld({ minConnections: 2 });
    const { operations, dialer } = world;
    const [first, second] = world.openAll() as [FakeConnection, FakeConnection];
    const client = world.client();
    client.ask(1);
    operations.reconnect();
    expect([operations.replacing, dialer.pending.length]).toEqual([2, 2]);
    expect([first.closing, second.closing]).toEqual([undefined, undefined]);
    world.openAll();
    vi.advanceTimersByTime(0);
    expect([operations.replacing, [first, second].filter(({ closing }) => closing).length]).toEqual([0, 1]);
    const busy = first.closing === undefined ? first : second;
    answerAll(busy);
    vi.advanceTimersByTime(0);
    expect([client.got, busy.closing?.[0]]).toEqual([['reply'], 1000]);
    expect([world.connector.total, dialer.pending.length]).toEqual([2, 0]);
  });

  it('in a pause lets everything go, and the end of the pause brings the new ones', () => {
    const world = new RequestWorld({ minConnections: 2 });
    const { operations, dialer } = world;
    const old = world.openAll();
    operations.pause();
    operations.reconnect();
    vi.advanceTimersByTime(0);
    expect(old.map(({ closing }) => closing?.[0])).toEqual([1000, 1000]);
    expect(dialer.pending).toEqual([]);
    operations.resume();
    expect(dialer.pending).toHaveLength(2);
  });
});

describe('other upstreams in request mode', () => {
  it('retire the connections of those removed, and dial those added; who stays is not touched', () => {
    const upstreams = ['ws://10.0.0.1', 'ws://10.0.0.2'];
    const world = new RequestWorld({ upstreams });
    const { operations, dialer } = world;
    const [stays, goes] = world.openAll() as [FakeConnection, FakeConnection];
    const clients = [world.client(), world.client()];
    for (const client of clients) client.ask(1);
    const [kept] = world.connector.endpoints;
    expect(operations.setUpstreams(['ws://10.0.0.3', 'ws://10.0.0.1'])).toEqual({
      added: ['ws://10.0.0.3/'],
      removed: ['ws://10.0.0.2/'],
    });
    expect(world.connector.endpoints[1]).toBe(kept);
    expect(dialer.pending.map(({ endpoint }) => endpoint.host)).toEqual(['10.0.0.3']);
    expect(
      operations.upstreams().map(({ upstream, removed, inFlight }) => [upstream, removed, inFlight]),
    ).toEqual([
      ['ws://10.0.0.3/', false, 0],
      ['ws://10.0.0.1/', false, 1],
      ['ws://10.0.0.2/', true, 1],
    ]);
    answerAll(goes);
    vi.advanceTimersByTime(0);
    expect([goes.closing?.[0], stays.closing]).toEqual([1000, undefined]);
    expect(operations.upstreams()).toHaveLength(2);
    answerAll(stays);
    expect(clients.map(({ got }) => got)).toEqual([['reply'], ['reply']]);
  });

  it('may all be others: what is asked meanwhile waits for them', () => {
    const world = new RequestWorld();
    const { operations } = world;
    const [old] = world.openAll() as [FakeConnection];
    operations.setUpstreams(['ws://10.0.0.9']);
    const client = world.client();
    client.ask(1);
    const [next] = world.openAll() as [FakeConnection];
    expect([asked(old), asked(next).length]).toEqual([[], 1]);
  });

  it('closes at once what a dial brings to an upstream that was removed meanwhile', () => {
    const world = new RequestWorld();
    const { operations, dialer, connector } = world;
    const [dial] = dialer.pending;
    operations.setUpstreams(['ws://10.0.0.9']);
    expect(connector.total).toBe(2);
    const connection = dial!.open();
    vi.advanceTimersByTime(0);
    expect([connection.closing?.[0], connector.total]).toEqual([1000, 1]);
  });

  it('count one by one where a URL is there twice', () => {
    const world = new RequestWorld({ upstreams: ['ws://a', 'ws://a'] });
    const { operations, connector } = world;
    const [first] = connector.endpoints;
    expect(operations.setUpstreams(['ws://a'])).toEqual({ added: [], removed: ['ws://a/'] });
    expect(connector.endpoints).toEqual([first]);
  });
});

describe('in session mode', () => {
  class SessionWorld extends World {
    readonly mode: SessionMode;
    readonly operations: PoolOperations;
    readonly seats: Seat[] = [];
    readonly refusals: NoSeat[] = [];

    constructor(options: SetupOptions = {}) {
      super(options);
      const { connector } = this;
      this.mode = new SessionMode({
        connector,
        warmConnections: options.minConnections ?? 0,
        maxGreetingBytes: 1_000,
        acquireTimeoutMs: 5_000,
        now,
        observer,
      });
      this.operations = new PoolOperations({ mode: this.mode, connector, createEndpoint, now });
    }

    acquire(): () => void {
      return this.mode.acquire(plainDial, {
        onSeat: (seat) => this.seats.push(seat),
        onRefused: (refusal) => this.refusals.push(refusal),
      });
    }
  }

  it('clients that come in a pause wait for its end, in their order, or leave before', () => {
    const world = new SessionWorld({ minConnections: 1 });
    const { operations, dialer } = world;
    world.openAll();
    operations.pause();
    world.acquire();
    const leave = world.acquire();
    world.acquire();
    vi.advanceTimersByTime(3_000);
    expect([world.seats, world.mode.figures().waiting, dialer.pending]).toEqual([[], 3, []]);
    leave();
    expect(world.mode.figures().waiting).toBe(2);
    operations.resume();
    expect([world.seats.length, world.mode.figures().waiting]).toEqual([1, 0]);
    world.openAll();
    expect([world.seats.length, world.refusals]).toEqual([2, []]);
  });

  it('a client whose dial fails in a pause is not refused but waits', () => {
    const world = new SessionWorld();
    const { operations, dialer } = world;
    const leave = world.acquire();
    operations.pause();
    dialer.pending[0]!.fail();
    expect([world.refusals, world.mode.figures().waiting]).toEqual([[], 1]);
    operations.resume();
    world.openAll();
    expect(world.seats).toHaveLength(1);
    leave();
  });

  it('a pause is quiet when no session awaits an answer, and sessions go on', () => {
    const world = new SessionWorld();
    const { operations } = world;
    world.acquire();
    const [connection] = world.openAll() as [FakeConnection];
    const client = new Client();
    const lease = world.seats[0]!.attach(client);
    operations.pause();
    expect(operations.quiet).toBe(true);
    lease.send(Buffer.from('hi'), false);
    expect([operations.quiet, operations.inFlight]).toEqual([false, 1]);
    vi.advanceTimersByTime(0);
    connection.say('ho');
    expect([operations.quiet, client.got]).toEqual([true, ['ho']]);
  });

  it('a removed upstream keeps its sessions and loses its warm connections', () => {
    const upstreams = ['ws://10.0.0.1'];
    const world = new SessionWorld({ upstreams, minConnections: 2 });
    const { operations, dialer } = world;
    const [idle] = world.openAll() as [FakeConnection, FakeConnection];
    world.acquire();
    const taken = world.seats[0]!.attach(new Client());
    operations.setUpstreams(['ws://10.0.0.2']);
    vi.advanceTimersByTime(0);
    expect(taken.send(Buffer.from('hi'), false)).toBe(true);
    expect(operations.upstreams().map(({ upstream, connections }) => [upstream, connections])).toEqual([
      ['ws://10.0.0.2/', 2],
      ['ws://10.0.0.1/', 1],
    ]);
    expect(dialer.pending.map(({ endpoint }) => endpoint.host)).toEqual(['10.0.0.2', '10.0.0.2']);
    expect(idle.closing?.[0]).toBe(1000);
    taken.release(1000, '');
    expect(operations.upstreams()).toHaveLength(1);
  });

  it('a reconnect exchanges the warm connections', () => {
    const world = new SessionWorld({ minConnections: 2 });
    const { operations, dialer } = world;
    const old = world.openAll();
    operations.reconnect();
    vi.advanceTimersByTime(0);
    expect(old.map(({ closing }) => closing?.[0])).toEqual([1000, 1000]);
    expect(dialer.pending).toHaveLength(2);
  });
});

describe('the state of an upstream', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const stateOf = ({ operations }: RequestWorld) => {
    const [{ state, stateAgeMs, lastFailure }] = operations.upstreams() as [UpstreamFigures];
    return { state, stateAgeMs, lastFailure };
  };

  it('is untried, up, down and up again, each since it is so', () => {
    const world = new RequestWorld();
    expect(stateOf(world)).toEqual({ state: 'untried', stateAgeMs: 0, lastFailure: null });
    world.openAll()[0]!.socket.destroy();
    expect(stateOf(world).state).toBe('up');
    vi.advanceTimersByTime(10_000);
    world.dialer.pending.shift()!.fail();
    vi.advanceTimersByTime(1_500);
    const failed = stateOf(world);
    expect(failed).toMatchObject({ state: 'down', lastFailure: { kind: 'dial', agoMs: 1_500 } });
    expect(failed.stateAgeMs).toBeGreaterThan(1_000);
    expect(failed.lastFailure!.detail).not.toBe('');
    vi.advanceTimersByTime(9_000);
    world.openAll();
    vi.advanceTimersByTime(2_000);
    expect(stateOf(world)).toMatchObject({ state: 'up', lastFailure: { kind: 'dial' } });
    expect(stateOf(world).stateAgeMs).toBeLessThanOrEqual(2_000);
  });

  it('remembers an answer that did not come', () => {
    const world = new RequestWorld();
    const client = world.client();
    world.openAll();
    client.ask(1);
    vi.advanceTimersByTime(2_500);
    expect(stateOf(world).lastFailure).toEqual({ kind: 'silent', detail: '', agoMs: 500 });
  });

  it('remembers a lost connection', () => {
    const world = new RequestWorld();
    const [connection] = world.openAll() as [FakeConnection];
    connection.socket.destroy();
    vi.advanceTimersByTime(300);
    expect(stateOf(world).lastFailure).toMatchObject({ kind: 'lost', detail: '' });
  });

  it('is removed since it was taken out', () => {
    const world = new RequestWorld();
    const client = world.client();
    world.openAll();
    client.ask(1);
    world.operations.setUpstreams(['ws://10.0.0.9']);
    vi.advanceTimersByTime(700);
    const removed = world.operations.upstreams().find(({ state }) => state === 'removed');
    expect(removed).toMatchObject({ upstream: 'ws://10.0.0.1/', stateAgeMs: 700 });
  });
});
