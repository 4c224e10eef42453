import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakePool, type FakeClient, type Message, type PoolChanges } from './dialogue.fixture.ts';

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

function poolOf(preset: 'mcp' | 'lsp', changes: PoolChanges = {}): FakePool {
  return new FakePool({ ...changes, subscriptions: { presets: [preset], ...changes.subscriptions } });
}

function askWithToken(client: FakeClient, id: unknown, progressToken: unknown): void {
  client.ask(id, 'tools/call', { name: 'x', _meta: { progressToken } });
}

function progress(progressToken: unknown, done = 1): Message {
  return { jsonrpc: '2.0', method: 'notifications/progress', params: { progressToken, done } } as Message;
}

function tokenOf({ params }: Message): unknown {
  return (params as { _meta: { progressToken: unknown } })._meta.progressToken;
}

describe('progress', () => {
  it('reaches the one who asked, under its own token with its JSON type', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const tokens = [1, '1', 1, 'x'.repeat(200)];
    const clients = tokens.map((token) => {
      const client = pool.client();
      askWithToken(client, 1, token);
      return client;
    });
    const calls = upstream.asked();
    expect(new Set(calls.map(tokenOf)).size).toBe(4);
    for (const call of calls) upstream.say(progress(tokenOf(call)));
    clients.forEach((client, index) => {
      expect(client.heard()).toEqual([progress(tokens[index])]);
    });
    upstream.reply(calls[0]!.id, 'done');
    upstream.say(progress(tokenOf(calls[0]!)));
    expect(clients[0]!.heard()).toMatchObject([{ id: 1, result: 'done' }]);
    upstream.say(progress(1));
    upstream.say(progress('99.0'));
    upstream.say(progress(tokenOf(calls[0]!)));
    expect(clients.flatMap((client) => client.heard())).toEqual([]);
    expect(pool.mode.counts.droppedUnowned).toBe(4);
  });

  it('leaves the rest of the request as it is', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    pool
      .client()
      .say(' {"params":{"_meta":{"progressToken" : 7 ,"x":1.0}},\t"id":"a","method":"m","jsonrpc":"2.0"}');
    vi.advanceTimersByTime(1);
    const [text] = upstream.connection.texts;
    const { id } = JSON.parse(text!) as Message;
    expect(text).toBe(
      ` {"params":{"_meta":{"progressToken" : "${String(id)}.0" ,"x":1.0}},\t"id":${String(id)},"method":"m","jsonrpc":"2.0"}`,
    );
  });

  it.each([
    ['a token that appears twice', '{"_meta":{"progressToken":1,"progressToken":"9.0"}}'],
    ['an escaped spelling', '{"_meta":{"progressToken":1,"progress\\u0054oken":"9.0"}}'],
    ['other letters', '{"_meta":{"ProgressToken":"9.0"}}'],
    ['two _meta', '{"_meta":{},"_meta":{"progressToken":"9.0"}}'],
  ])('is refused to a request with %s', (_, params) => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const client = pool.client();
    client.say(`{"jsonrpc":"2.0","id":1,"method":"m","params":${params}}`);
    expect(client.heardOne().error?.code).toBe(-32600);
    client.say(`{"jsonrpc":"2.0","method":"m","params":${params}}`);
    expect(upstream.asked()).toEqual([]);
    expect(pool.unsettled).toBe(0);
  });

  it('cannot be had for what is no request, nor reported by a client', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const client = pool.client();
    client.say({ jsonrpc: '2.0', method: 'tools/call', params: { _meta: { progressToken: '9.0' } } });
    client.say(progress('9.0'));
    expect(upstream.asked()).toEqual([]);
    client.say({ ...progress('9.0'), id: 1 });
    expect(client.heardOne().error?.code).toBe(-32600);
  });

  it('is of a token that is none as of no token', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    for (const token of [null, {}, true]) askWithToken(pool.client(), 1, token);
    expect(upstream.asked().map(tokenOf)).toEqual([null, {}, true]);
  });

  it('moves with what was never written', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const client = pool.client();
    askWithToken(client, 1, 'mine');
    upstream.die();
    vi.advanceTimersByTime(200);
    const next = pool.open();
    const call = next.askedOne();
    expect(tokenOf(call)).toBe(`${String(call.id)}.0`);
    next.say(progress(tokenOf(call)));
    next.reply(call.id, 'r');
    expect(client.heard()).toMatchObject([progress('mine'), { id: 1, result: 'r' }]);
  });

  it('in LSP knows both tokens of a request apart', () => {
    const pool = poolOf('lsp');
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'textDocument/references', { partialResultToken: 'p', workDoneToken: 2 });
    const { params } = upstream.askedOne() as {
      params: { partialResultToken: string; workDoneToken: string };
    };
    for (const token of [params.workDoneToken, params.partialResultToken])
      upstream.say({ jsonrpc: '2.0', method: '$/progress', params: { token, value: 'v' } });
    expect(client.heard().map((message) => (message as { params: { token: unknown } }).params.token)).toEqual(
      [2, 'p'],
    );
  });
});

describe('cancellation', () => {
  const cancel = (requestId: unknown): unknown => ({
    jsonrpc: '2.0',
    method: 'notifications/cancelled',
    params: { requestId, reason: 'why' },
  });

  it('names the request as the upstream knows it', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const [client, other] = [pool.client(), pool.client()];
    other.ask('a', 'slow', {});
    client.ask('a', 'slow', {});
    const [, call] = upstream.asked();
    client.say(cancel('a'));
    expect(upstream.askedOne()).toEqual(cancel(call!.id));
    client.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"\\u0061"}}`);
    expect(upstream.askedOne().params).toEqual({ requestId: call!.id });
  });

  it('goes nowhere when it names nothing that the client has in flight', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const [client, other] = [pool.client(), pool.client()];
    other.ask('theirs', 'slow', {});
    client.ask('mine', 'slow', {});
    const [foreign] = upstream.asked();
    for (const id of ['theirs', foreign!.id, 1, null, {}]) client.say(cancel(id));
    client.say(
      '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"mine","requestId":8}}',
    );
    client.say('{"jsonrpc":"2.0","method":"notifications\\/cancelled","params":{"Re\\u0071uestId":8}}');
    client.say('{"jsonrpc":"2.0","method":"notifications/cancelled","params":[8]}');
    client.say('{"jsonrpc":"2.0","method":"notifications/cancelled"}');
    expect(upstream.asked()).toEqual([]);
  });

  it('is possible however many a client has in flight', () => {
    const pool = poolOf('mcp', { limits: { maxInFlightPerClient: 1 } });
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'slow', {});
    upstream.asked();
    client.say(cancel(1));
    expect(upstream.asked()).toHaveLength(1);
  });

  it('is sent for all that a client had in flight when it left', () => {
    const pool = poolOf('lsp');
    const upstream = pool.open();
    const [client, other] = [pool.client(), pool.client()];
    client.ask('a', 'slow', {});
    other.ask('b', 'slow', {});
    client.ask('c', 'slow', {});
    const calls = upstream.asked();
    client.leave();
    const cancelled = upstream.asked();
    expect(cancelled.map(({ method }) => method)).toEqual(['$/cancelRequest', '$/cancelRequest']);
    expect(new Set(cancelled.map(({ params }) => (params as { id: unknown }).id))).toEqual(
      new Set([calls[0]!.id, calls[2]!.id]),
    );
    expect(pool.mode.inFlight).toBe(3);
    expect(pool.mode.counts).toMatchObject({ accepted: 3, abandoned: 2 });
  });

  it('is sent for a shared call when the last one has left', () => {
    const pool = poolOf('lsp', { coalesceMethods: ['get'] });
    const upstream = pool.open();
    const clients = [pool.client(), pool.client()];
    for (const client of clients) client.ask(1, 'get', {});
    const { id } = upstream.askedOne();
    clients[0]!.leave();
    vi.advanceTimersByTime(100);
    expect(upstream.asked()).toEqual([]);
    clients[1]!.leave();
    vi.advanceTimersByTime(100);
    expect(upstream.askedOne()).toMatchObject({ method: '$/cancelRequest', params: { id } });
  });

  it('does not move to a connection where it would name another request', () => {
    const pool = poolOf('mcp', { endpoints: 2 });
    const upstreams = [pool.open(), pool.open()];
    const client = pool.client();
    client.ask(1, 'slow', {});
    const home = upstreams.find((upstream) => upstream.asked().length > 0)!;
    client.say(cancel(1));
    home.die();
    vi.advanceTimersByTime(100);
    expect(upstreams.flatMap((upstream) => upstream.asked())).toEqual([]);
  });
});

describe('what an upstream asks', () => {
  const ask = (id: unknown, method = 'sampling/createMessage', params: unknown = {}): unknown => ({
    jsonrpc: '2.0',
    id,
    method,
    params,
  });

  it('is answered by the only client that its connection has ever served', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'tools/call', {});
    upstream.asked();
    upstream.say(ask('up', 'sampling/createMessage', { text: 'secret' }));
    const question = client.heardOne();
    expect(question).toMatchObject({ method: 'sampling/createMessage', params: { text: 'secret' } });
    client.say({ jsonrpc: '2.0', id: question.id, result: 'answer' });
    expect(upstream.askedOne()).toEqual({ jsonrpc: '2.0', id: 'up', result: 'answer' });
    client.say({ jsonrpc: '2.0', id: question.id, result: 'again' });
    expect(client.heardOne().error?.code).toBe(-32600);
    expect(upstream.asked()).toEqual([]);
    expect(pool.mode.dialogue!.asked).toBe(0);
  });

  it('is refused once a second client has used the connection, and shown to neither', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const clients = [pool.client(), pool.client()];
    for (const client of clients) client.ask(1, 'tools/call', {});
    clients[1]!.leave();
    upstream.asked();
    for (const id of [1, 'x']) {
      upstream.say(ask(id));
      expect(upstream.askedOne()).toMatchObject({ id, error: { code: -32601 } });
    }
    expect(clients.flatMap((client) => client.heard())).toEqual([]);
    expect(pool.mode.counts.droppedUnowned).toBe(2);
  });

  it('is refused when it is nothing that clients are asked', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'tools/call', {});
    upstream.asked();
    upstream.say(ask(5, 'unheard/of'));
    expect(upstream.askedOne()).toMatchObject({ id: 5, error: { code: -32601 } });
    expect(client.heard()).toEqual([]);
  });

  it('is answered here when it is about the connection', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    upstream.say(ask('p', 'ping'));
    expect(upstream.askedOne()).toEqual({ jsonrpc: '2.0', id: 'p', result: {} });
  });

  it('may name the client by a progress token or a subscription', () => {
    const asks = [{ method: 'confirm', tokenAt: 'for' }];
    const pool = new FakePool({ subscriptions: { presets: ['mcp', 'ethereum'], asks } });
    const upstream = pool.open();
    const [first, second, third] = [pool.client(), pool.client(), pool.client()];
    askWithToken(first, 1, 't');
    const token = tokenOf(upstream.askedOne());
    second.ask(1, 'eth_subscribe', ['logs']);
    upstream.reply(upstream.askedOne().id, '0xa');
    second.heard();
    third.ask(1, 'tools/call', {});
    upstream.asked();
    upstream.say(ask(1, 'confirm', { for: token }));
    upstream.say(ask(1, 'confirm', { for: '0xa' }));
    const questions = [first.heardOne(), second.heardOne()];
    expect(questions.map(({ method }) => method)).toEqual(['confirm', 'confirm']);
    // Nobody answers for another, whatever the number.
    third.say({ jsonrpc: '2.0', id: questions[0]!.id, result: 'forged' });
    expect(upstream.asked()).toEqual([]);
    expect(third.heardOne().error?.code).toBe(-32600);
    second.say({ jsonrpc: '2.0', id: questions[1]!.id, result: 'yes' });
    expect(upstream.askedOne()).toEqual({ jsonrpc: '2.0', id: 1, result: 'yes' });
    upstream.say(ask(2, 'confirm', { for: 'nobody' }));
    expect(upstream.askedOne()).toMatchObject({ id: 2, error: { code: -32601 } });
  });

  it('is not left without an answer: the client may leave, or take too long', () => {
    const pool = poolOf('mcp');
    const upstream = pool.open();
    const client = pool.client();
    client.ask(1, 'tools/call', {});
    upstream.asked();
    upstream.say(ask(1));
    vi.advanceTimersByTime(1_900);
    upstream.say(ask(2));
    vi.advanceTimersByTime(200);
    expect(upstream.asked()).toMatchObject([{ id: 1, error: { code: -32001 } }]);
    client.leave();
    expect(upstream.asked()).toMatchObject([{ id: 2, error: { code: -32000 } }]);
    upstream.say(ask(3));
    expect(upstream.askedOne()).toMatchObject({ id: 3, error: { code: -32601 } });
    expect(pool.mode.dialogue!.asked).toBe(0);
  });

  it('of a connection that is lost takes its answer with it', () => {
    const pool = poolOf('mcp', { endpoints: 2 });
    const upstreams = [pool.open(), pool.open()];
    const client = pool.client();
    client.ask(1, 'tools/call', {});
    const home = upstreams.find((upstream) => upstream.asked().length > 0)!;
    home.say(ask(7));
    const { id } = client.heardOne();
    home.die();
    client.heard();
    client.say({ jsonrpc: '2.0', id, result: 'late' });
    vi.advanceTimersByTime(100);
    expect(upstreams.flatMap((upstream) => upstream.asked())).toEqual([]);
    expect(client.heard()).toEqual([]);
  });
});
