import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePool, type FakeClient, type FakeUpstream, type Message } from './dialogue.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

/** Subscribes a client to something that the upstream calls `upstreamId`, and returns what the client calls it. */
function subscribe(
  client: FakeClient,
  upstream: FakeUpstream,
  upstreamId: unknown,
  what = 'newHeads',
): unknown {
  client.ask('s', 'eth_subscribe', [what]);
  upstream.reply(upstream.askedOne().id, upstreamId);
  const { id, result } = client.heardOne();
  expect(id).toBe('s');
  return result;
}

function eventFor(subscription: unknown, result: unknown): Message {
  return { jsonrpc: '2.0', method: 'eth_subscription', params: { subscription, result } } as Message;
}

const codeOf = (message: Message): number | undefined => message.error?.code;

describe('subscriptions', () => {
  it('reach exactly their owner, under the id it was given', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    const first = subscribe(one, upstream, '0xa');
    const second = subscribe(other, upstream, '0xb');
    expect(first).toMatch(/^0x[1-9a-f][0-9a-f]{31}$/);
    expect(second).not.toBe(first);
    upstream.notify('0xa', 'for one');
    upstream.notify('0xb', 'for the other');
    upstream.notify('0xc', 'for nobody');
    expect(one.heard()).toEqual([eventFor(first, 'for one')]);
    expect(other.heard()).toEqual([eventFor(second, 'for the other')]);
    expect(pool.mode.counts).toMatchObject({ accepted: 2, replied: 2, droppedUnowned: 1 });
    expect(pool.subscriptions).toEqual({ client: 2, upstream: 2 });
  });

  it('keep apart what two connections call the same', () => {
    const pool = new FakePool({ endpoints: 2 });
    const upstreams = [pool.open(), pool.open()];
    const clients = [pool.client(), pool.client()];
    for (const client of clients) client.ask(1, 'eth_subscribe', ['logs']);
    for (const upstream of upstreams) upstream.reply(upstream.askedOne().id, '0x1');
    const names = clients.map((client) => client.heardOne().result);
    for (const upstream of upstreams) {
      upstream.notify('0x1', 'event');
      const heard = clients.map((client) => client.heard());
      expect(heard.filter(({ length }) => length === 1)).toHaveLength(1);
    }
    expect(names[0]).not.toBe(names[1]);
  });

  it('change nothing in a notification but the id, and keep its JSON type', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    const id = subscribe(client, upstream, 7);
    expect(id).toBeTypeOf('number');
    upstream.say(
      ' {"method":"eth_subscription" , "params":{"result":{"subscription":9 },"subscription" : 7}}\n',
    );
    upstream.say('{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"7"}}');
    expect(client.texts).toEqual([
      ` {"method":"eth_subscription" , "params":{"result":{"subscription":9 },"subscription" : ${String(id)}}}\n`,
    ]);
  });

  it('lose nothing that comes before or with the reply', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'eth_subscribe', ['newHeads']);
    const { id } = upstream.askedOne();
    upstream.notify('0xa', 'early');
    upstream.notify('0xb', 'nobody’s');
    upstream.reply(id, '0xa');
    upstream.notify('0xa', 'late');
    const [reply, ...events] = client.heard() as Message[];
    expect(reply!.id).toBe(1);
    expect(events).toEqual([eventFor(reply!.result, 'early'), eventFor(reply!.result, 'late')]);
    expect(pool.mode.counts.droppedUnowned).toBe(1);
  });

  it('keep no more early notifications than allowed', () => {
    const pool = new FakePool({ subscriptions: { maxEarlyBytes: 300 } });
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'eth_subscribe', ['newHeads']);
    const { id } = upstream.askedOne();
    for (let n = 0; n < 10; n++) upstream.notify('0xa', n);
    upstream.reply(id, '0xa');
    const events = client.heard().length - 1;
    expect(events).toBeGreaterThan(1);
    expect(pool.mode.counts.droppedUnowned).toBe(10 - events);
  });

  it('pass on an error, and subscribe nothing', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    client.ask('x', 'eth_subscribe', ['nonsense']);
    const { id } = upstream.askedOne();
    upstream.say({ jsonrpc: '2.0', id, error: { code: -32602, message: 'no such subscription' } });
    expect(client.heardOne()).toMatchObject({ id: 'x', error: { code: -32602 } });
    expect(pool.subscriptions).toEqual({ client: 0, upstream: 0 });
    expect(pool.unsettled).toBe(0);
  });

  it('end upstream when their owner says so, in no one else’s name', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const [owner, thief] = [pool.client(), pool.client()];
    const id = subscribe(owner, upstream, '0xa');
    for (const guess of [id, '0xa', 5, null, {}]) {
      thief.ask(1, 'eth_unsubscribe', [guess]);
      expect(thief.heardOne()).toEqual({ jsonrpc: '2.0', id: 1, result: false });
    }
    owner.ask(2, 'eth_unsubscribe', ['0xa']);
    expect(owner.heardOne().result).toBe(false);
    expect(upstream.asked()).toEqual([]);
    owner.ask(3, 'eth_unsubscribe', [id]);
    expect(owner.heardOne()).toEqual({ jsonrpc: '2.0', id: 3, result: true });
    const ended = upstream.askedOne();
    expect(ended).toMatchObject({ method: 'eth_unsubscribe', params: ['0xa'] });
    upstream.notify('0xa', 'too late');
    upstream.reply(ended.id, true);
    owner.ask(4, 'eth_unsubscribe', [id]);
    expect(owner.heardOne().result).toBe(false);
    expect(pool.mode.counts).toMatchObject({
      accepted: 9,
      replied: 9,
      droppedUnowned: 1,
      droppedUnknownId: 0,
    });
    expect(pool.mode.inFlight).toBe(0);
  });

  it('end upstream when their owner leaves, and when it left before the reply', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    subscribe(one, upstream, '0xa');
    other.ask(1, 'eth_subscribe', ['logs']);
    const { id } = upstream.askedOne();
    one.leave();
    other.leave();
    expect(upstream.askedOne().params).toEqual(['0xa']);
    upstream.reply(id, '0xb');
    expect(upstream.askedOne()).toMatchObject({ method: 'eth_unsubscribe', params: ['0xb'] });
    expect(pool.mode.counts).toMatchObject({ accepted: 2, replied: 1, abandoned: 1 });
    expect(pool.subscriptions).toEqual({ client: 0, upstream: 0 });
  });

  it('can be ended however much their owner has in flight', () => {
    const pool = new FakePool({ limits: { maxInFlightPerClient: 1 } });
    const upstream = pool.open();
    const client = pool.client();
    const id = subscribe(client, upstream, '0xa');
    client.ask(1, 'slow', []);
    client.ask(2, 'eth_unsubscribe', [id]);
    expect(client.heardOne()).toMatchObject({ id: 2, result: true });
  });

  it('end upstream when the reply comes after the time-out', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'eth_subscribe', ['logs']);
    const { id } = upstream.askedOne();
    vi.advanceTimersByTime(2_100);
    expect(codeOf(client.heardOne())).toBe(-32001);
    upstream.reply(id, '0xb');
    expect(upstream.askedOne()).toMatchObject({ method: 'eth_unsubscribe', params: ['0xb'] });
    expect(pool.mode.counts).toMatchObject({ errored: 1, droppedUnknownId: 0 });
  });

  it('do not bind their owner to a connection', () => {
    const pool = new FakePool({ endpoints: 2 });
    const [first, second] = [pool.open(), pool.open()];
    const client = pool.client();
    client.ask(1, 'eth_subscribe', ['logs']);
    vi.advanceTimersByTime(0);
    const [home, away] = first.connection.texts.length > 0 ? [first, second] : [second, first];
    home.reply(home.askedOne().id, '0xa');
    client.ask(2, 'eth_call', []);
    client.ask(3, 'eth_call', []);
    expect(home.asked().length + away.asked().length).toBe(2);
  });

  it('may stand in batches; what comes before the batch is answered follows it', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    client.say([
      { jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'] },
      { jsonrpc: '2.0', id: 2, method: 'eth_call', params: [] },
      { jsonrpc: '2.0', method: 'eth_subscribe', params: ['nobody can name it'] },
      { jsonrpc: '2.0', id: 3, method: 'eth_unsubscribe', params: ['0x0'] },
    ]);
    const [subscribed, called, ...more] = upstream.asked();
    expect(more).toEqual([]);
    upstream.reply(subscribed!.id, '0xa');
    upstream.notify('0xa', 'early');
    expect(client.heard()).toEqual([]);
    upstream.reply(called!.id, 'called');
    upstream.notify('0xa', 'later');
    const [answer, ...events] = client.heard() as [Message[], ...Message[]];
    expect(answer.map(({ id }) => id)).toEqual([1, 2, 3]);
    const id = answer[0]!.result;
    expect(events).toEqual([eventFor(id, 'early'), eventFor(id, 'later')]);
    expect(pool.unsettled).toBe(0);
  });

  it('are limited per client and in all', () => {
    const pool = new FakePool({ subscriptions: { maxPerClient: 2, maxPerPool: 3 } });
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    subscribe(one, upstream, '0x1');
    // Both are sent before either is answered; only one of them may stay.
    one.ask(1, 'eth_subscribe', ['a']);
    one.ask(2, 'eth_subscribe', ['b']);
    const [a, b] = upstream.asked();
    upstream.reply(a!.id, '0x2');
    upstream.reply(b!.id, '0x3');
    expect(one.heard()).toMatchObject([{ id: 1 }, { id: 2, error: { code: -32003 } }]);
    expect(upstream.askedOne()).toMatchObject({ method: 'eth_unsubscribe', params: ['0x3'] });
    one.ask(3, 'eth_subscribe', ['c']);
    expect(codeOf(one.heardOne())).toBe(-32003);
    subscribe(other, upstream, '0x4');
    other.ask(4, 'eth_subscribe', ['d']);
    expect(codeOf(other.heardOne())).toBe(-32003);
    expect(pool.subscriptions).toEqual({ client: 3, upstream: 3 });
    expect(pool.unsettled).toBe(0);
  });

  it.each([
    ['a key that appears twice', '{"subscription":"0xa","subscription":"0xb"}'],
    ['an escaped key beside it', '{"subscription":"0xa","\\u0073ubscription":"0xb"}'],
    ['an escaped key alone', '{"\\u0073ubscription":"0xa"}'],
    ['other letters', '{"Subscription":"0xa"}'],
    ['no id', '{"__proto__":{"subscription":"0xa"}}'],
    ['an object for an id', '{"subscription":{"a":"0xa"}}'],
    ['a huge id', `{"subscription":"${'a'.repeat(10_000)}"}`],
    ['a list', '["0xa"]'],
  ])('drop a notification with %s', (_, params) => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    subscribe(client, upstream, '0xa');
    upstream.say(`{"jsonrpc":"2.0","method":"eth_subscription","params":${params}}`);
    expect(client.heard()).toEqual([]);
    expect(pool.mode.counts.droppedUnowned).toBe(1);
  });

  it('know an id by what it spells', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'eth_subscribe', ['newHeads']);
    upstream.say(`{"jsonrpc":"2.0","id":${String(upstream.askedOne().id)},"result":"0x\\u0061"}`);
    const id = client.heardOne().result as string;
    upstream.notify('0xa', 1);
    upstream.say(
      '{"jsonrpc":"2.0","method":"eth\\u005fsubscription","params":{"subscription":"\\u0030xa","result":2}}',
    );
    expect(client.heard()).toEqual([eventFor(id, 1), { ...eventFor(id, 2) }]);
    client.say(
      `{"jsonrpc":"2.0","id":2,"method":"eth_unsubscr\\u0069be","params":["\\u0030${id.slice(1)}"]}`,
    );
    expect(client.heardOne().result).toBe(true);
  });
});

describe('subscriptions of a connection that is lost', () => {
  it('are restored on another, under the same id', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    const id = subscribe(client, upstream, '0xa', 'logs');
    upstream.die();
    expect(client.heard()).toEqual([]);
    vi.advanceTimersByTime(200);
    const next = pool.open();
    vi.advanceTimersByTime(100);
    const again = next.askedOne();
    expect(again).toMatchObject({ method: 'eth_subscribe', params: ['logs'] });
    next.notify('0xb', 'early');
    next.reply(again.id, '0xb');
    next.notify('0xa', 'of no meaning here');
    expect(client.heard()).toEqual([eventFor(id, 'early')]);
    expect(client.told).toBe(false);
    client.ask(1, 'eth_unsubscribe', [id]);
    expect(client.heardOne().result).toBe(true);
    expect(next.askedOne().params).toEqual(['0xb']);
    expect(pool.mode.counts).toMatchObject({ accepted: 2, replied: 2 });
  });

  it('are begun again when the first reply never came', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'eth_subscribe', ['logs']);
    upstream.askedOne();
    upstream.die();
    vi.advanceTimersByTime(200);
    const next = pool.open();
    vi.advanceTimersByTime(100);
    next.reply(next.askedOne().id, '0xb');
    next.notify('0xb', 'event');
    const [reply, event] = client.heard() as Message[];
    expect(reply!.id).toBe(1);
    expect(event).toEqual(eventFor(reply!.result, 'event'));
    expect(pool.mode.counts).toMatchObject({ accepted: 1, replied: 1 });
  });

  it('are tried again when the upstream refuses, and their owners are told in the end', () => {
    const pool = new FakePool({ subscriptions: { restoreTimeoutMs: 3_000 } });
    const upstream = pool.open();
    const [client, other] = [pool.client(), pool.client()];
    subscribe(client, upstream, '0xa');
    subscribe(client, upstream, '0xb');
    upstream.die();
    vi.advanceTimersByTime(200);
    const next = pool.open();
    let tries = 0;
    for (let ms = 0; ms < 4_000; ms += 100) {
      vi.advanceTimersByTime(100);
      for (const { id, method } of next.asked()) {
        tries++;
        expect(method).toBe('eth_subscribe');
        next.say({ jsonrpc: '2.0', id, error: { code: -32000, message: 'not yet' } });
      }
    }
    expect(tries).toBeGreaterThan(4);
    expect(tries).toBeLessThan(30);
    expect(client.told).toBe(true);
    expect(other.told).toBe(false);
    expect(pool.subscriptions).toEqual({ client: 0, upstream: 0 });
  });

  it('are given up when no connection comes in time', () => {
    const pool = new FakePool({ subscriptions: { restoreTimeoutMs: 1_000 } });
    const upstream = pool.open();
    const client = pool.client();
    subscribe(client, upstream, '0xa');
    upstream.die();
    vi.advanceTimersByTime(900);
    expect(client.told).toBe(false);
    vi.advanceTimersByTime(300);
    expect(client.told).toBe(true);
  });

  it('are given up at once where that is configured', () => {
    const pool = new FakePool({ subscriptions: { whenLost: 'close' } });
    const upstream = pool.open();
    const [client, other] = [pool.client(), pool.client()];
    subscribe(client, upstream, '0xa');
    upstream.die();
    expect([client.told, other.told]).toEqual([true, false]);
    expect(pool.subscriptions.client).toBe(0);
  });

  it('end when their owner leaves in between', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    subscribe(client, upstream, '0xa');
    upstream.die();
    client.leave();
    vi.advanceTimersByTime(200);
    const next = pool.open();
    vi.advanceTimersByTime(500);
    expect(next.asked()).toEqual([]);
    expect(pool.subscriptions).toEqual({ client: 0, upstream: 0 });
  });

  it('do not carry an unsubscribe over to where its id means another', () => {
    const pool = new FakePool({ endpoints: 2 });
    const [first, second] = [pool.open(), pool.open()];
    const client = pool.client();
    client.ask('s', 'eth_subscribe', ['logs']);
    vi.advanceTimersByTime(0);
    const [home, away] = first.connection.texts.length > 0 ? [first, second] : [second, first];
    home.reply(home.askedOne().id, '0xa');
    const id = client.heardOne().result;
    client.ask(1, 'eth_unsubscribe', [id]);
    // Not written yet, and now it never will be.
    home.die();
    vi.advanceTimersByTime(300);
    expect(away.asked()).toEqual([]);
    expect(pool.mode.inFlight).toBe(0);
  });
});

describe('subscriptions of a connection that is to close', () => {
  it('move to another first, and nothing is delivered twice', () => {
    const pool = new FakePool({ limits: { minConnections: 2 } });
    const [first, second] = [pool.open(), pool.open()];
    const client = pool.client();
    client.ask('s', 'eth_subscribe', ['logs']);
    vi.advanceTimersByTime(0);
    const [home, away] = first.connection.texts.length > 0 ? [first, second] : [second, first];
    home.reply(home.askedOne().id, '0xa');
    const id = client.heardOne().result;
    const channel = pool.mode.channels.find(({ upstream }) => upstream === home.connection.upstream)!;
    pool.mode.retire(channel);
    expect(pool.mode.channels).toContain(channel);
    vi.advanceTimersByTime(100);
    const again = away.askedOne();
    home.notify('0xa', 'still here');
    away.reply(again.id, '0xb');
    home.notify('0xa', 'not any more');
    away.notify('0xb', 'now here');
    expect(client.heard()).toEqual([eventFor(id, 'still here'), eventFor(id, 'now here')]);
    const ended = home.askedOne();
    expect(ended).toMatchObject({ method: 'eth_unsubscribe', params: ['0xa'] });
    home.reply(ended.id, true);
    vi.advanceTimersByTime(100);
    expect(pool.mode.channels).not.toContain(channel);
    expect(home.connection.closing?.[0]).toBe(1000);
    expect(pool.subscriptions).toEqual({ client: 1, upstream: 1 });
  });

  it('have one dialled when there is no other', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const client = pool.client();
    const id = subscribe(client, upstream, '0xa');
    pool.mode.retire(pool.mode.channels[0]!);
    vi.advanceTimersByTime(100);
    const next = pool.open();
    vi.advanceTimersByTime(100);
    next.reply(next.askedOne().id, '0xb');
    next.notify('0xb', 'moved');
    expect(client.heard()).toEqual([eventFor(id, 'moved')]);
  });
});

describe('subscriptions that are shared', () => {
  const shared = { subscriptions: { coalesce: true } };

  it('live upstream once, until the last owner is gone', () => {
    const pool = new FakePool(shared);
    const upstream = pool.open();
    const clients = [pool.client(), pool.client(), pool.client()];
    clients[0]!.ask(1, 'eth_subscribe', ['newHeads']);
    clients[1]!.ask('1', 'eth_subscribe', ['newHeads']);
    upstream.reply(upstream.askedOne().id, '0xa');
    clients[2]!.ask(2, 'eth_subscribe', ['newHeads']);
    const replies = clients.map((client) => client.heardOne());
    expect(replies.map(({ id }) => id)).toEqual([1, '1', 2]);
    upstream.notify('0xa', 'block');
    clients.forEach((client, index) => {
      expect(client.heard()).toEqual([eventFor(replies[index]!.result, 'block')]);
    });
    expect(pool.subscriptions).toEqual({ client: 3, upstream: 1 });
    clients[0]!.leave();
    clients[1]!.ask(3, 'eth_unsubscribe', [replies[1]!.result]);
    expect(clients[1]!.heardOne().result).toBe(true);
    expect(upstream.asked()).toEqual([]);
    clients[2]!.leave();
    expect(upstream.askedOne().params).toEqual(['0xa']);
    expect(pool.subscriptions).toEqual({ client: 0, upstream: 0 });
    expect(pool.unsettled).toBe(0);
  });

  it('are apart where a byte of them differs, or a client wants one twice', () => {
    const pool = new FakePool(shared);
    const upstream = pool.open();
    const client = pool.client();
    const [a, b, c] = ['0xa', '0xb', '0xc'].map((id, index) =>
      subscribe(client, upstream, id, index === 2 ? 'logs' : 'newHeads'),
    );
    expect(new Set([a, b, c]).size).toBe(3);
    upstream.notify('0xb', 1);
    expect(client.heard()).toEqual([eventFor(b, 1)]);
  });

  it('are not shared with what has something beside method and params', () => {
    const pool = new FakePool(shared);
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    subscribe(one, upstream, '0xa');
    other.say({ jsonrpc: '2.0', id: 1, method: 'eth_subscribe', params: ['newHeads'], tenant: 'x' });
    upstream.reply(upstream.askedOne().id, '0xb');
    expect(other.heardOne().id).toBe(1);
    expect(pool.subscriptions.upstream).toBe(2);
  });

  it('outlive the one who asked first', () => {
    const pool = new FakePool(shared);
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    one.ask(1, 'eth_subscribe', ['newHeads']);
    other.ask(1, 'eth_subscribe', ['newHeads']);
    one.leave();
    upstream.reply(upstream.askedOne().id, '0xa');
    const { result } = other.heardOne();
    upstream.notify('0xa', 1);
    expect(other.heard()).toEqual([eventFor(result, 1)]);
    expect(pool.mode.counts).toMatchObject({ accepted: 2, replied: 1, abandoned: 1 });
  });

  it('are restored for all, and those who come meanwhile have the id at once', () => {
    const pool = new FakePool(shared);
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    const id = subscribe(one, upstream, '0xa');
    upstream.die();
    other.ask(1, 'eth_subscribe', ['newHeads']);
    expect(other.heardOne().result).toBe(id);
    vi.advanceTimersByTime(200);
    const next = pool.open();
    vi.advanceTimersByTime(100);
    next.reply(next.askedOne().id, '0xb');
    next.notify('0xb', 1);
    expect(one.heard()).toEqual([eventFor(id, 1)]);
    expect(other.heard()).toEqual([eventFor(id, 1)]);
  });
});

describe('an upstream that calls two subscriptions the same', () => {
  it('ends them when both are gone', () => {
    const pool = new FakePool();
    const upstream = pool.open();
    const [one, other] = [pool.client(), pool.client()];
    const first = subscribe(one, upstream, '0xa');
    const second = subscribe(other, upstream, '0xa');
    upstream.notify('0xa', 1);
    expect(one.heard()).toEqual([eventFor(first, 1)]);
    expect(other.heard()).toEqual([eventFor(second, 1)]);
    one.leave();
    expect(upstream.asked()).toEqual([]);
    other.leave();
    expect(upstream.askedOne().params).toEqual(['0xa']);
  });
});
