import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePool, type Message, type PoolChanges } from './dialogue.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

function coalescingPool(changes: PoolChanges = {}): FakePool {
  return new FakePool({ coalesceMethods: ['get'], ...changes });
}

describe('identical calls in flight', () => {
  it('share one call upstream; each client has the answer under its own id', () => {
    const pool = coalescingPool();
    const upstream = pool.open();
    const ids = [1, '1', -7, 'x'];
    const clients = ids.map((id) => {
      const client = pool.client();
      client.ask(id, 'get', { key: 'a' });
      return client;
    });
    const { id } = upstream.askedOne();
    upstream.say(`{"result": [1.0] ,"id":${String(id)},"jsonrpc":"2.0"}`);
    expect(clients.map(({ texts }) => texts)).toEqual(
      ids.map((own) => [`{"result": [1.0] ,"id":${JSON.stringify(own)},"jsonrpc":"2.0"}`]),
    );
    expect(pool.mode.counts).toMatchObject({ accepted: 4, replied: 4 });
    expect(pool.mode.dialogue!.coalescing.coalesced).toBe(3);
    expect(pool.mode.inFlight).toBe(0);
    clients[0]!.ask(2, 'get', { key: 'a' });
    expect(upstream.asked()).toHaveLength(1);
  });

  it.each([
    ['other params', { jsonrpc: '2.0', id: 1, method: 'get', params: { key: 'b' } }],
    ['other bytes', '{"jsonrpc":"2.0","id":1,"method":"get","params":{"key": "a"}}'],
    ['no params', { jsonrpc: '2.0', id: 1, method: 'get' }],
    ['another method', { jsonrpc: '2.0', id: 1, method: 'set', params: { key: 'a' } }],
    ['something beside', { jsonrpc: '2.0', id: 1, method: 'get', params: { key: 'a' }, token: 't' }],
    ['no id', { jsonrpc: '2.0', method: 'get', params: { key: 'a' } }],
  ])('are not such with %s', (_, message) => {
    const pool = coalescingPool();
    const upstream = pool.open();
    pool.client().ask(1, 'get', { key: 'a' });
    pool.client().say(message);
    expect(upstream.asked()).toHaveLength(2);
  });

  it('of one client need ids of their own', () => {
    const pool = coalescingPool();
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'get', {});
    client.ask(1, 'get', {});
    client.ask(2, 'get', {});
    client.ask(2, 'other', {});
    expect(client.heard()).toMatchObject([{ error: { code: -32600 } }, { error: { code: -32600 } }]);
    upstream.reply(upstream.askedOne().id, 'r');
    expect(client.heard()).toMatchObject([
      { id: 1, result: 'r' },
      { id: 2, result: 'r' },
    ]);
  });

  it('count as in flight for their client', () => {
    const pool = coalescingPool({ limits: { maxInFlightPerClient: 2 } });
    const upstream = pool.open();
    const client = pool.client();
    for (const id of [1, 2, 3]) client.ask(id, 'get', {});
    expect(client.heardOne()).toMatchObject({ id: 3, error: { code: -32003 } });
    expect(client.lease.busy).toBe(true);
    upstream.reply(upstream.askedOne().id, 'r');
    expect(client.lease.busy).toBe(false);
  });

  it('share errors', () => {
    const pool = coalescingPool();
    const upstream = pool.open();
    const clients = [pool.client(), pool.client()];
    for (const client of clients) client.ask('a', 'get', {});
    upstream.say({ jsonrpc: '2.0', id: upstream.askedOne().id, error: { code: 5, message: 'no' } });
    for (const client of clients) expect(client.heardOne()).toMatchObject({ id: 'a', error: { code: 5 } });
  });

  it('share the loss of their connection when the call was written', () => {
    const pool = coalescingPool();
    const upstream = pool.open();
    const clients = [pool.client(), pool.client()];
    for (const client of clients) client.ask('a', 'get', {});
    upstream.askedOne();
    upstream.die();
    for (const client of clients)
      expect(client.heardOne()).toMatchObject({ id: 'a', error: { code: -32002 } });
    expect(pool.mode.counts).toMatchObject({ accepted: 2, errored: 2 });
  });

  it.each([
    ['was never written', [], false],
    ['is idempotent', ['get'], true],
  ])('move to another connection when the call %s', (_, idempotent, isWritten) => {
    const pool = coalescingPool({ idempotent });
    const upstream = pool.open();
    const clients = [pool.client(), pool.client()];
    for (const client of clients) client.ask('a', 'get', {});
    if (isWritten) upstream.askedOne();
    upstream.die();
    clients.push(pool.client());
    clients[2]!.ask('a', 'get', {});
    vi.advanceTimersByTime(200);
    const next = pool.open();
    next.reply(next.askedOne().id, 'r');
    for (const client of clients) expect(client.heardOne()).toMatchObject({ id: 'a', result: 'r' });
    expect(pool.unsettled).toBe(0);
  });

  it('are answered though the one who asked first left', () => {
    const pool = coalescingPool();
    const upstream = pool.open();
    const [first, second] = [pool.client(), pool.client()];
    first.ask(1, 'get', {});
    second.ask(1, 'get', {});
    first.leave();
    upstream.reply(upstream.askedOne().id, 'r');
    expect(second.heardOne().result).toBe('r');
    expect(pool.mode.counts).toMatchObject({ accepted: 2, replied: 1, abandoned: 1 });
  });

  it('have time-outs of their own, after which others ask anew', () => {
    const pool = coalescingPool();
    const upstream = pool.open();
    const [first, second, third] = [pool.client(), pool.client(), pool.client()];
    first.ask(1, 'get', {});
    vi.advanceTimersByTime(1_500);
    second.ask(1, 'get', {});
    vi.advanceTimersByTime(600);
    expect(first.heardOne().error?.code).toBe(-32001);
    expect(second.heard()).toEqual([]);
    third.ask(1, 'get', {});
    const [slow, anew] = upstream.asked();
    upstream.reply(slow!.id, 'slow');
    expect(second.heardOne().result).toBe('slow');
    upstream.reply(anew!.id, 'anew');
    expect(third.heardOne().result).toBe('anew');
    expect(pool.unsettled).toBe(0);
  });

  it('wait no longer than allowed for an upstream that never answers', () => {
    const pool = coalescingPool();
    pool.open();
    const clients = [pool.client(), pool.client()];
    for (const client of clients) client.ask(1, 'get', {});
    vi.advanceTimersByTime(2_100);
    for (const client of clients) expect(client.heardOne().error?.code).toBe(-32001);
    expect(pool.mode.inFlight).toBe(0);
    expect(pool.unsettled).toBe(0);
  });

  it('are no more than allowed: the others go by themselves', () => {
    const pool = coalescingPool({ maxCoalesced: 2 });
    const upstream = pool.open();
    const clients = Array.from({ length: 5 }, () => pool.client());
    for (const client of clients) client.ask(1, 'get', {});
    const calls = upstream.asked();
    expect(calls).toHaveLength(3);
    for (const { id } of calls) upstream.reply(id, 'r');
    for (const client of clients) expect(client.heardOne().result).toBe('r');
    expect(pool.unsettled).toBe(0);
  });

  it('may stand in batches', () => {
    const pool = coalescingPool();
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    one.say([1, 2].map((id) => ({ jsonrpc: '2.0', id, method: 'get', params: [] })));
    other.ask(3, 'get', []);
    upstream.reply(upstream.askedOne().id, 'r');
    expect((one.heard() as Message[][])[0]).toMatchObject([
      { id: 1, result: 'r' },
      { id: 2, result: 'r' },
    ]);
    expect(other.heardOne()).toMatchObject({ id: 3, result: 'r' });
    expect(pool.unsettled).toBe(0);
  });

  it('are joined, when their turn comes, by those that waited for room', () => {
    const pool = coalescingPool({ limits: { maxInFlightPerConnection: 2 }, maxConnections: 1 });
    const upstream = pool.open();
    const [busy, one, other] = [pool.client(), pool.client(), pool.client()];
    for (const id of [1, 2]) busy.ask(id, 'slow', {});
    for (const client of [one, other]) client.ask(1, 'get', {});
    for (const { id } of upstream.asked()) upstream.reply(id, 'slow');
    upstream.reply(upstream.askedOne().id, 'r');
    for (const client of [one, other]) expect(client.heardOne().result).toBe('r');
  });
});
