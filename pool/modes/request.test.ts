import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeastConnections } from '../balancers/least-connections.ts';
import type { ClientSide } from '../client-side.ts';
import { Connector } from '../connector.ts';
import { Endpoint } from '../endpoint.ts';
import { noLog } from '../log.fixture.ts';
import { methodTable } from '../jsonrpc/method-table.ts';
import { noObserver } from '../observer.fixture.ts';
import { Opcode } from '../wire/opcode.ts';
import { FakeDialer, type FakeConnection } from './fake-upstream.fixture.ts';
import type { RequestLease } from './request-lease.ts';
import { RequestMode, type RequestLimits } from './request.ts';

interface Answer {
  readonly id?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

class Client implements ClientSide {
  readonly id = 1;
  readonly requestId = '';
  readonly isLimited = false;
  readonly texts: string[] = [];
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

  deliver(): void {
    throw new Error('only replies are delivered');
  }

  deliverSpliced(
    buf: Uint8Array,
    start: number,
    cutStart: number,
    cutEnd: number,
    end: number,
    id: Uint8Array,
    idStart: number,
    idEnd: number,
  ): void {
    const parts = [buf.subarray(start, cutStart), id.subarray(idStart, idEnd), buf.subarray(cutEnd, end)];
    this.texts.push(Buffer.concat(parts).toString());
  }

  send(bytes: Uint8Array): void {
    this.texts.push(Buffer.from(bytes).toString());
  }

  onUpstreamClose(): void {
    throw new Error('the upstream is nobody in particular');
  }

  say(text: string | Uint8Array, isBinary = false): void {
    this.lease.send(new Uint8Array(Buffer.from(text as Uint8Array)), isBinary);
  }

  ask(id: unknown, method = 'm', params: unknown = {}): void {
    this.say(JSON.stringify({ jsonrpc: '2.0', id, method, params }));
  }

  notify(method = 'n'): void {
    this.say(JSON.stringify({ jsonrpc: '2.0', method }));
  }

  /** What it got since the last look. */
  answers(): Answer[] {
    return this.texts.splice(0).map((text) => JSON.parse(text) as Answer);
  }

  codes(): (number | undefined)[] {
    return this.answers().map(({ error }) => error?.code);
  }
}

const scaling = { scaleUpThreshold: 0.7, scaleDownThreshold: 0.3, scaleIntervalMs: 5_000, maxLifetimeMs: 0 };

const limits: RequestLimits = {
  minConnections: 1,
  maxInFlightPerConnection: 4,
  maxInFlightPerClient: 10,
  maxBatchSize: 3,
  maxBatchReplyBytes: 1_000,
  requestTimeoutMs: 2_000,
  queue: {
    maxSize: 10,
    maxBytes: 10_000,
    maxBytesPerClient: 10_000,
    timeoutMs: 500,
    priority: { high: 3, medium: 2, low: 1 },
  },
  maxRetries: 1,
  retryBudgetRatio: 0.1,
  retryBackoffMs: 0,
  faultCodes: new Set<number>(),
  methods: methodTable({ stateful: ['login'], idempotent: ['get'] }),
  idCeiling: 2 ** 52,
};

class Setup {
  readonly dialer = new FakeDialer({ maxBufferedBytes: 100_000 });
  readonly connector: Connector;
  readonly mode: RequestMode;
  readonly refused: number[] = [];
  /** Each slow request: how long it took, where, and its method. */
  readonly slow: [ms: number, upstream: string, method: string][] = [];

  constructor(changes: Partial<RequestLimits> = {}, { endpoints = 1, maxConnections = 1 } = {}) {
    const log = noLog;
    const balancer = new LeastConnections({ random: () => 0.5 });
    this.connector = new Connector({
      pool: 'main',
      endpoints: Array.from(
        { length: endpoints },
        (_, n) => new Endpoint({ url: `ws://10.0.0.1:${n + 1}`, trusted: true }),
      ),
      dialer: this.dialer,
      balancer,
      maxConnections,
      reconnect: { baseDelayMs: 100, maxDelayMs: 100, factor: 1, jitter: false },
      now: () => Date.now(),
      random: () => 0.5,
      log,
    });
    this.mode = new RequestMode({
      connector: this.connector,
      balancer,
      limits: { ...limits, ...changes },
      scaling,
      now: () => Date.now(),
      random: () => 0.5,
      observer: {
        ...noObserver,
        refused: (code) => this.refused.push(code),
        slowMs: 400,
        slow: (_, ms, upstream, method) => this.slow.push([ms, upstream, method]),
      },
      log,
      name: 'main',
    });
  }

  client(): Client {
    const client = new Client();
    client.lease = this.mode.lease(client);
    return client;
  }

  open(): FakeConnection {
    return this.dialer.pending[0]!.open();
  }
}

const turn = (): void => {
  vi.advanceTimersByTime(0);
};

/** What the back end was asked, in order. */
function asked(connection: FakeConnection): { id?: number; method: string; params?: unknown }[] {
  turn();
  return connection.texts.map((text) => JSON.parse(text) as { id?: number; method: string });
}

/** Answers everything asked so far that has not been, the last one first. */
function answerAll(connection: FakeConnection): void {
  const requests = asked(connection).filter(({ id }) => id !== undefined);
  for (const { id, params } of requests.reverse())
    connection.say(JSON.stringify({ jsonrpc: '2.0', id, result: params ?? null }));
}

describe('RequestMode', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });

  afterEach(() => {
    vi.clearAllTimers();
    vi.useRealTimers();
  });

  it('gives each client the reply to its own request, with its own id', () => {
    const setup = new Setup();
    const connection = setup.open();
    const clients = [1, '1', 'x', -5].map((id) => {
      const client = setup.client();
      client.ask(id, 'm', { secret: id });
      return { client, id };
    });
    answerAll(connection);
    for (const { client, id } of clients) {
      expect(client.answers()).toEqual([{ jsonrpc: '2.0', id, result: { secret: id } }]);
    }
    expect(setup.mode.counts).toMatchObject({ accepted: 4, replied: 4, errored: 0 });
  });

  it('changes nothing in a message but its id', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    client.say(' {"method":"m" ,\t"jsonrpc":"2.0","x":1.50,"id":"a" , "params":{"id":"a"}} ');
    turn();
    const [text] = connection.texts;
    const id = asked(connection)[0]!.id!;
    expect(text).toBe(` {"method":"m" ,\t"jsonrpc":"2.0","x":1.50,"id":${id} , "params":{"id":"a"}} `);
    connection.say(`{"result": [ 1.0 ],"id": ${id} ,"jsonrpc":"2.0"}`);
    expect(client.texts).toEqual(['{"result": [ 1.0 ],"id": "a" ,"jsonrpc":"2.0"}']);
  });

  it('takes a binary message for JSON when it is UTF-8, and refuses it otherwise', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    client.say('{"jsonrpc":"2.0","id":1,"method":"m"}', true);
    expect(asked(connection)).toHaveLength(1);
    client.say(Buffer.from('{"jsonrpc":"2.0","id":2,"method":"m","params":["\u00e9"]}', 'latin1'), true);
    expect(client.codes()).toEqual([-32700]);
    expect(asked(connection)).toHaveLength(1);
  });

  it('refuses what is no request, without counting it as accepted', () => {
    const setup = new Setup();
    setup.open();
    const client = setup.client();
    for (const text of ['{', '5', '{"jsonrpc":"2.0","id":1,"result":1}', '[]', '[1,2,3,4]', '[1,'])
      client.say(text);
    expect(client.codes()).toEqual([-32700, -32600, -32600, -32600, -32600, -32700]);
    expect(setup.mode.counts).toMatchObject({ accepted: 0, errored: 0 });
    expect(setup.refused).toEqual([-32700, -32600, -32600, -32600, -32600, -32700]);
  });

  it('refuses an id that is in flight or waits, and still answers the original', () => {
    const setup = new Setup({ maxInFlightPerConnection: 1 });
    const connection = setup.open();
    const client = setup.client();
    client.ask('a', 'm', { n: 1 });
    client.ask('b', 'm', { n: 2 });
    client.say('{"jsonrpc":"2.0","id":"\\u0061","method":"m"}');
    client.ask('b');
    expect(client.answers()).toMatchObject([
      { id: 'a', error: { code: -32600 } },
      { id: 'b', error: { code: -32600 } },
    ]);
    answerAll(connection);
    connection.say(`{"jsonrpc":"2.0","id":${asked(connection)[1]!.id!},"result":{"n":2}}`);
    expect(client.answers()).toMatchObject([
      { id: 'a', result: { n: 1 } },
      { id: 'b', result: { n: 2 } },
    ]);
    client.ask('a');
    expect(client.answers()).toEqual([]);
  });

  it('names the session mode when it refuses a method that keeps state, escaped or not', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    client.ask(1, 'login');
    client.say('{"jsonrpc":"2.0","id":2,"method":"log\\u0069n"}');
    client.notify('login');
    const answers = client.answers();
    expect(answers).toMatchObject([
      { id: 1, error: { code: -32600 } },
      { id: 2, error: { code: -32600 } },
    ]);
    expect(answers[0]!.error!.message).toContain('session');
    expect(asked(connection)).toEqual([]);
  });

  it('answers a batch with one array, in its order, once the last element has its end', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    client.say(
      '[{"jsonrpc":"2.0","id":1,"method":"m","params":[1]},{"jsonrpc":"2.0","method":"n"},{"jsonrpc":"2.0","id":1,"method":"m"}]',
    );
    expect(client.texts).toEqual([]);
    answerAll(connection);
    expect(client.answers()).toMatchObject([
      [
        { id: 1, result: [1] },
        { id: 1, error: { code: -32600 } },
      ],
    ]);
    expect(setup.mode.counts).toMatchObject({ accepted: 2, replied: 1, errored: 1 });
  });

  it('does not answer a batch of notifications', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    client.say('[{"jsonrpc":"2.0","method":"a"},{"jsonrpc":"2.0","method":"b"}]');
    expect(asked(connection).map(({ method }) => method)).toEqual(['a', 'b']);
    expect(client.texts).toEqual([]);
  });

  it('answers with an error what comes back too large for its batch', () => {
    const setup = new Setup({ maxBatchReplyBytes: 200 });
    const connection = setup.open();
    const client = setup.client();
    client.say(
      JSON.stringify([1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'm', params: ['x'.repeat(100)] }))),
    );
    answerAll(connection);
    const [answer] = client.answers() as unknown as Answer[][];
    expect(answer!.map(({ id }) => id)).toEqual([1, 2]);
    expect(answer!.filter(({ error }) => error !== undefined)).toHaveLength(1);
  });

  it('keeps what waits although the network buffer is used again', () => {
    const setup = new Setup();
    const client = setup.client();
    const bytes = new Uint8Array(Buffer.from('{"jsonrpc":"2.0","id":"a","method":"m","params":["kept"]}'));
    client.lease.send(bytes, false);
    bytes.fill(0x21);
    const connection = setup.open();
    expect(asked(connection)).toMatchObject([{ method: 'm', params: ['kept'] }]);
    answerAll(connection);
    expect(client.answers()).toMatchObject([{ id: 'a', result: ['kept'] }]);
  });

  it('refuses with -32003 what finds the queue full, in count, in bytes or in bytes of one client', () => {
    for (const queue of [{ maxSize: 1 }, { maxBytes: 70 }, { maxBytesPerClient: 70 }]) {
      const setup = new Setup({ queue: { ...limits.queue, ...queue } });
      const client = setup.client();
      client.ask(1);
      client.ask(2);
      expect(client.answers()).toMatchObject([{ id: 2, error: { code: -32003 } }]);
      const other = setup.client();
      other.ask(1);
      expect(other.codes()).toEqual('maxBytesPerClient' in queue ? [] : [-32003]);
    }
  });

  it('refuses with -32003 what one client has over its share', () => {
    const setup = new Setup({ maxInFlightPerClient: 2 });
    setup.open();
    const client = setup.client();
    for (const id of [1, 2, 3]) client.ask(id);
    expect(client.answers()).toMatchObject([{ id: 3, error: { code: -32003 } }]);
    const other = setup.client();
    other.ask(1);
    expect(other.answers()).toEqual([]);
  });

  it('fails with -32003 at the queue timeout and with -32001 at the request timeout', () => {
    const setup = new Setup({ maxInFlightPerConnection: 1 });
    const connection = setup.open();
    const client = setup.client();
    client.ask('sent');
    client.ask('waits');
    vi.advanceTimersByTime(499);
    expect(client.answers()).toEqual([]);
    vi.advanceTimersByTime(250);
    expect(client.answers()).toMatchObject([{ id: 'waits', error: { code: -32003 } }]);
    vi.advanceTimersByTime(1_501);
    expect(client.answers()).toMatchObject([{ id: 'sent', error: { code: -32001 } }]);
    answerAll(connection);
    expect(client.answers()).toEqual([]);
    expect(setup.mode.counts).toMatchObject({ errored: 2, replied: 0, droppedUnknownId: 1 });
  });

  it('tells of what was slow, by method and upstream, and of what had no answer in time', () => {
    const setup = new Setup({ requestTimeoutMs: 450, maxInFlightPerConnection: 3 });
    const connection = setup.open();
    const client = setup.client();
    client.ask(1, 'quick');
    vi.advanceTimersByTime(399);
    answerAll(connection);
    const { length } = asked(connection);
    client.ask(2, 'tools/call');
    client.ask('x'.repeat(126), 'no_room_for_it');
    client.ask(3, 'with spaces\n');
    client.ask(4, 'waits');
    vi.advanceTimersByTime(400);
    const slowOnes = asked(connection).slice(length);
    for (const { id } of slowOnes.slice(0, 2))
      connection.say(JSON.stringify({ jsonrpc: '2.0', id, result: 1 }));
    expect(setup.slow).toEqual([
      [400, 'ws://10.0.0.1:1/', 'tools/call'],
      [400, 'ws://10.0.0.1:1/', ''],
    ]);
    vi.advanceTimersByTime(101);
    expect(setup.slow.slice(2)).toEqual([
      [501, 'ws://10.0.0.1:1/', 'waits'],
      [501, 'ws://10.0.0.1:1/', ''],
    ]);
  });

  it('fails with -32000 what waits once no endpoint can be reached, and everything until one can', () => {
    const setup = new Setup();
    const client = setup.client();
    client.ask(1);
    setup.dialer.pending[0]!.fail();
    client.ask(2);
    expect(client.answers()).toMatchObject([
      { id: 1, error: { code: -32000 } },
      { id: 2, error: { code: -32000 } },
    ]);
    expect(setup.mode).toMatchObject({ hopeful: false, retryAfterMs: 100 });
    vi.advanceTimersByTime(100);
    setup.open();
    client.ask(3);
    expect(client.answers()).toEqual([]);
    expect(setup.mode.hopeful).toBe(true);
  });

  it('fails with -32002 what was written when the connection is lost, and moves on what was not', () => {
    const setup = new Setup({}, { maxConnections: 2, endpoints: 2 });
    const [first, second] = [setup.open(), setup.open()];
    const client = setup.client();
    client.ask('written');
    turn();
    const [lost, other] = first.texts.length > 0 ? [first, second] : [second, first];
    lost.socket.stall();
    client.ask('maybe');
    turn();
    client.ask('never');
    client.notify('never either');
    lost.upstream.onHeartbeatLost();
    expect(client.answers()).toMatchObject([
      { id: 'written', error: { code: -32002 } },
      { id: 'maybe', error: { code: -32002 } },
    ]);
    expect(asked(other).map(({ method }) => method)).toEqual(['m', 'never either']);
    answerAll(other);
    expect(client.answers()).toMatchObject([{ id: 'never' }]);
    expect(setup.mode.counts.upstreamsLost).toBe(1);
  });

  it('tries an idempotent request once more, and not twice', () => {
    const setup = new Setup({ requestTimeoutMs: 60_000, queue: { ...limits.queue, timeoutMs: 30_000 } });
    const client = setup.client();
    const first = setup.open();
    client.ask('a', 'get', { n: 1 });
    expect(asked(first)).toHaveLength(1);
    first.socket.close();
    expect(client.answers()).toEqual([]);
    vi.advanceTimersByTime(1_000);
    const second = setup.open();
    expect(asked(second)).toMatchObject([{ method: 'get', params: { n: 1 } }]);
    second.socket.close();
    expect(client.answers()).toMatchObject([{ id: 'a', error: { code: -32002 } }]);
    expect(setup.mode.counts.retries).toBe(1);
  });

  it('retries the idempotent element of a batch', () => {
    const setup = new Setup();
    const client = setup.client();
    const first = setup.open();
    client.say('[{"jsonrpc":"2.0","id":1,"method":"get"},{"jsonrpc":"2.0","id":2,"method":"m"}]');
    expect(asked(first)).toHaveLength(2);
    first.socket.close();
    expect(client.texts).toEqual([]);
    vi.advanceTimersByTime(200);
    answerAll(setup.open());
    expect(client.answers()).toMatchObject([[{ id: 1 }, { id: 2, error: { code: -32002 } }]]);
  });

  describe('in the back-off before a retry', () => {
    /** A client whose idempotent request, with another behind it, was written to a connection that is lost; the other one is idle. */
    function inBackoff(changes: Partial<RequestLimits> = {}): {
      setup: Setup;
      client: Client;
      other: FakeConnection;
    } {
      const setup = new Setup(
        { retryBackoffMs: 200, maxInFlightPerConnection: 1, ...changes },
        { endpoints: 2, maxConnections: 2 },
      );
      const [first, other] = [setup.open(), setup.open()];
      const client = setup.client();
      client.ask(1, 'get');
      client.ask(2, 'behind');
      expect(asked(first)).toHaveLength(1);
      first.socket.close();
      return { setup, client, other };
    }

    it('sends nothing of that client, and then all in its order', () => {
      const { setup, client, other } = inBackoff();
      client.ask(3, 'later');
      setup.client().ask(1, 'of another client');
      vi.advanceTimersByTime(99);
      expect(asked(other).map(({ method }) => method)).toEqual(['of another client']);
      answerAll(other);
      vi.advanceTimersByTime(1);
      // What a timer writes leaves a tick later.
      vi.advanceTimersByTime(1);
      for (let n = 0; n < 3; n++) {
        const { id } = asked(other).at(-1)!;
        other.say(`{"jsonrpc":"2.0","id":${id!},"result":0}`);
      }
      expect(
        asked(other)
          .map(({ method }) => method)
          .slice(1),
      ).toEqual(['get', 'behind', 'later']);
      expect(client.answers().map(({ id }) => id)).toEqual([1, 2, 3]);
    });

    it('counts what a client leaves behind as abandoned', () => {
      const { setup, client, other } = inBackoff();
      client.lease.release();
      vi.advanceTimersByTime(1_000);
      expect(asked(other)).toEqual([]);
      expect(setup.mode.counts).toMatchObject({ accepted: 2, replied: 0, errored: 0, abandoned: 2 });
      expect(setup.mode.waiting).toBe(0);
    });

    it('ends everything with the pool, and the ledger balances', () => {
      const { setup, client, other } = inBackoff();
      setup.mode.close(1001, '');
      vi.advanceTimersByTime(5_000);
      expect(asked(other)).toEqual([]);
      client.lease.release();
      const { accepted, replied, errored, abandoned } = setup.mode.counts;
      expect(replied + errored + abandoned).toBe(accepted);
    });

    it('keeps the deadline', () => {
      const { setup, client } = inBackoff({ retryBackoffMs: 60_000, requestTimeoutMs: 400 });
      vi.advanceTimersByTime(500);
      expect(client.answers().map(({ id, error }) => [id, error?.code])).toEqual([
        [1, -32002],
        [2, -32001],
      ]);
      client.ask(3, 'not held any more');
      expect(setup.mode.waiting).toBe(0);
    });
  });

  it('lets clients take turns at a free slot, however many requests one of them has waiting', () => {
    const setup = new Setup({ maxInFlightPerConnection: 1, maxInFlightPerClient: 20 });
    const connection = setup.open();
    const [greedy, modest] = [setup.client(), setup.client()];
    for (let n = 0; n < 6; n++) greedy.ask(n, 'greedy');
    modest.ask(1, 'modest');
    for (let n = 0; n < 3; n++) {
      const { id } = asked(connection).at(-1)!;
      connection.say(`{"jsonrpc":"2.0","id":${id!},"result":0}`);
    }
    expect(asked(connection).map(({ method }) => method)).toContain('modest');
  });

  it('keeps the requests of a client on one connection while it has something in flight', () => {
    const setup = new Setup({ minConnections: 2 }, { maxConnections: 2 });
    const [first, second] = [setup.open(), setup.open()];
    const client = setup.client();
    for (let n = 0; n < 4; n++) client.ask(n);
    expect([asked(first).length, asked(second).length].sort()).toEqual([0, 4]);
  });

  it('charges the slot of a client that left until the reply', () => {
    const setup = new Setup({ maxInFlightPerConnection: 1 });
    const connection = setup.open();
    const [leaver, other] = [setup.client(), setup.client()];
    leaver.ask(1);
    leaver.ask(2);
    turn();
    leaver.lease.release();
    expect(setup.mode.counts.abandoned).toBe(2);
    expect(setup.mode).toMatchObject({ inFlight: 1, waiting: 0 });
    other.ask(1);
    expect(asked(connection)).toHaveLength(1);
    answerAll(connection);
    expect(leaver.texts).toEqual([]);
    expect(asked(connection)).toHaveLength(2);
    expect(() => leaver.lease.release()).toThrow(/^bug: /);
  });

  it('is busy while a reply is due', () => {
    const setup = new Setup();
    const client = setup.client();
    expect(client.lease.busy).toBe(false);
    client.ask(1);
    expect(client.lease.busy).toBe(true);
    const connection = setup.open();
    expect(client.lease.busy).toBe(true);
    answerAll(connection);
    expect(client.lease.busy).toBe(false);
  });

  it('refuses new requests of a client that will be told to go, and still answers the old ones', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    client.ask(1);
    client.lease.refuseNew();
    client.ask(2);
    expect(client.answers()).toMatchObject([{ id: 2, error: { code: -32000 } }]);
    answerAll(connection);
    expect(client.answers()).toMatchObject([{ id: 1 }]);
  });

  it('drops what the upstream says unasked, to nobody', () => {
    const setup = new Setup();
    const connection = setup.open();
    const clients = [setup.client(), setup.client()];
    for (const client of clients) client.ask(1);
    const { id } = asked(connection)[0]!;
    connection.say('{"jsonrpc":"2.0","method":"tick"}');
    connection.say(`{"jsonrpc":"2.0","id":${id!},"method":"ask"}`);
    connection.say('nonsense');
    connection.say(`{"jsonrpc":"2.0","id":"${id!}","result":1}`);
    connection.say(`{"jsonrpc":"2.0","id":${id! + 1_000},"result":1}`);
    connection.say('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"?"}}');
    connection.feed(Buffer.concat([Buffer.from([0x82, 3]), Buffer.from([0xff, 0xfe, 0xfd])]));
    expect(clients.flatMap(({ texts }) => texts)).toEqual([]);
    expect(setup.mode.counts).toMatchObject({ droppedUnowned: 2, droppedMalformed: 2, droppedUnknownId: 3 });
  });

  it('does not give a client more than one reply to a request', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    client.ask(1);
    answerAll(connection);
    answerAll(connection);
    expect(client.answers()).toHaveLength(1);
    expect(setup.mode.counts).toMatchObject({ replied: 1, droppedUnknownId: 1 });
  });

  it('replaces a connection before its wire ids are used up, and loses nothing by it', () => {
    const setup = new Setup({ idCeiling: 40 }, { maxConnections: 2 });
    const client = setup.client();
    let replies = 0;
    for (let n = 0; n < 50; n++) {
      while (setup.dialer.pending.length > 0) setup.open();
      client.ask(n);
      for (const connection of setup.dialer.opened) {
        turn();
        const { id } = asked(connection).at(-1) ?? {};
        if (id !== undefined && connection.upstream.usable)
          connection.say(`{"jsonrpc":"2.0","id":${id},"result":0}`);
      }
      turn();
      replies += client.answers().filter(({ result }) => result === 0).length;
    }
    expect(replies).toBe(50);
    const wireIds = setup.dialer.opened.flatMap((connection) => asked(connection).map(({ id }) => id!));
    expect(Math.max(...wireIds)).toBeLessThan(40);
    expect(setup.dialer.opened.length).toBeGreaterThan(3);
    expect(setup.dialer.opened[0]!.closing?.[0]).toBe(1000);
  });

  it('dials its minimum, spread over the endpoints, and more only when it is needed', () => {
    const setup = new Setup({ minConnections: 4 }, { endpoints: 2, maxConnections: 6 });
    expect(setup.dialer.pending.map(({ endpoint }) => endpoint.port).sort()).toEqual([1, 1, 2, 2]);
    while (setup.dialer.pending.length > 0) setup.open();
    const clients = Array.from({ length: 16 }, () => setup.client());
    for (const client of clients) client.ask(1);
    expect(setup.dialer.pending).toEqual([]);
    setup.client().ask(1);
    expect(setup.dialer.pending).toHaveLength(1);
    setup.client().ask(1);
    expect(setup.dialer.pending).toHaveLength(1);
  });

  it('serves those who wait as soon as a connection opens', () => {
    const setup = new Setup();
    const client = setup.client();
    client.ask(1);
    client.ask(2);
    expect(setup.mode.waiting).toBe(2);
    const connection = setup.open();
    expect(asked(connection)).toHaveLength(2);
    expect(setup.mode).toMatchObject({ waiting: 0, inFlight: 2 });
  });

  it('does not give an upstream more that reads too slowly, until it reads again', () => {
    const setup = new Setup();
    const connection = setup.open();
    const client = setup.client();
    connection.socket.stall();
    client.ask(1);
    turn();
    client.ask(2, 'm', ['x'.repeat(120_000)]);
    client.ask(3);
    expect(setup.mode).toMatchObject({ inFlight: 2, waiting: 1 });
    connection.socket.unstall();
    expect(asked(connection)).toHaveLength(3);
    expect(setup.mode).toMatchObject({ inFlight: 3, waiting: 0 });
  });

  it('lets a client go on behind its own long call on a connection that drains, in order', () => {
    const setup = new Setup({}, { maxConnections: 2 });
    const old = setup.open();
    const [client, other] = [setup.client(), setup.client()];
    client.ask(1, 'long');
    setup.mode.reconnect();
    vi.advanceTimersByTime(100);
    const next = setup.open();
    client.ask(2);
    client.ask(3);
    other.ask(4);
    expect(asked(old).map(({ method }) => method)).toEqual(['long']);
    expect(asked(next).length).toBe(1);
    vi.advanceTimersByTime(300);
    expect(asked(old).length).toBe(3);
    answerAll(old);
    expect(client.answers().map(({ id }) => id)).toEqual([3, 2, 1]);
    client.ask(5);
    expect(asked(next).length).toBe(2);
    expect(setup.mode.channels.length).toBe(1);
  });

  it('closes its connections with the code it is given and dials no more', () => {
    const setup = new Setup();
    const connection = setup.open();
    setup.mode.close(1001, 'going away');
    vi.advanceTimersByTime(10_000);
    expect(connection.closing).toEqual([1001, 'going away']);
    expect(setup.dialer.pending).toEqual([]);
    expect(connection.frames.filter(({ opcode }) => opcode === Opcode.Text)).toEqual([]);
  });
});
