import { describe, expect, it } from 'vitest';
import { forwardedRequest } from './forwarding.ts';
import type { Handshake, UpgradeRequest } from './handshake.ts';

const names = ['authorization', 'cookie', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'];
const identifying = { opensFor: 'special', newRequestId: () => 'made-here' } as const;
const stranger = { address: '203.0.113.9', peerAddress: '203.0.113.9', peerTrusted: false };
const proxy = { address: '198.51.100.7', peerAddress: '127.0.0.1', peerTrusted: true };

function request(headers: Readonly<Record<string, string>> = {}): UpgradeRequest {
  return { method: 'get', path: '/ws', query: '', header: (name) => headers[name] ?? '' };
}

function handshake(changes: Partial<Handshake> = {}): Handshake {
  return {
    key: '',
    extensions: '',
    protocols: [],
    query: '',
    codec: undefined,
    codecProtocol: '',
    dictionaryId: undefined,
    peersDictionaryIds: '',
    ...changes,
  };
}

function forwarded(
  headers: Readonly<Record<string, string>>,
  client = stranger,
  { isMux = false, forwardHeaders = names, forwardQuery = true, ...changes } = {},
) {
  const mode = isMux ? 'mux' : 'session';
  const options = { ...identifying, mode, forwardHeaders, forwardQuery } as const;
  return forwardedRequest(request(headers), handshake(changes), options, client).dial;
}

describe('what an upstream is asked for', () => {
  it('is nothing special for a client that sent nothing special, so that a warm connection will do', () => {
    expect(forwarded({ host: 'example', 'user-agent': 'x' })).toEqual({
      protocols: [],
      headers: [],
      query: '',
      client: { path: '/ws', address: stranger.address },
    });
    expect(forwarded({}, proxy).headers).toEqual([]);
  });

  it('carries the listed headers and no others', () => {
    const headers = { authorization: 'Bearer t', cookie: 'a=1; b=2', 'x-secret': 's', host: 'h' };
    expect(forwarded(headers, stranger, { forwardHeaders: ['authorization', 'cookie'] }).headers).toEqual([
      ['authorization', 'Bearer t'],
      ['cookie', 'a=1; b=2'],
    ]);
    expect(forwarded(headers, stranger, { forwardHeaders: [] }).headers).toEqual([]);
  });

  it('says whose it is when it is a connection of the client’s own anyway, unless X-Forwarded-For is not listed', () => {
    const ownAddress = ['x-forwarded-for', stranger.peerAddress];
    expect(forwarded({ cookie: 'a=1' }).headers).toEqual([['cookie', 'a=1'], ownAddress]);
    const special = handshake({ protocols: ['a'] });
    const options = { ...identifying, mode: 'session', forwardHeaders: names, forwardQuery: true } as const;
    expect(forwardedRequest(request(), special, options, stranger).dial.headers).toEqual([ownAddress]);
    const unlisted = { ...options, forwardHeaders: ['cookie'] };
    expect(forwardedRequest(request(), special, unlisted, stranger).dial.headers).toEqual([]);
  });

  it('says whose it is in mux mode, where each client has a stream of its own', () => {
    expect(forwarded({}, stranger, { isMux: true }).headers).toEqual([
      ['x-forwarded-for', stranger.peerAddress],
    ]);
    expect(forwarded({}, stranger, { isMux: true, forwardHeaders: ['cookie'] }).headers).toEqual([]);
  });

  it('carries the subprotocols in their order, and the query as it was written', () => {
    const query = 'a=%2F+%20&a=1&&=&b';
    const { protocols, query: passed } = forwardedRequest(
      request(),
      handshake({ protocols: ['b', 'a'], query }),
      { ...identifying, mode: 'session', forwardHeaders: names, forwardQuery: true },
      stranger,
    ).dial;
    expect(protocols).toEqual(['b', 'a']);
    expect(passed).toBe(query);
  });

  it('carries no query where that is switched off', () => {
    const options = { ...identifying, mode: 'session', forwardHeaders: names, forwardQuery: false } as const;
    expect(forwardedRequest(request(), handshake({ query: 'token=1' }), options, stranger).dial.query).toBe(
      '',
    );
  });

  it('replaces what a stranger claims in X-Forwarded-For by its address, and drops its other X-Forwarded headers', () => {
    const claims = {
      'x-forwarded-for': '10.0.0.1',
      'x-forwarded-proto': 'https',
      'x-forwarded-host': 'bank.example',
      'x-forwarded-user': 'admin',
    };
    const options = { forwardHeaders: [...names, 'x-forwarded-user'] };
    expect(forwarded(claims, stranger, options).headers).toEqual([['x-forwarded-for', '203.0.113.9']]);
  });

  it('adds a trusted proxy to the X-Forwarded-For that it sent, and passes its other X-Forwarded headers on', () => {
    const headers = { 'x-forwarded-for': '198.51.100.7', 'x-forwarded-proto': 'https' };
    expect(forwarded(headers, proxy).headers).toEqual([
      ['x-forwarded-for', '198.51.100.7, 127.0.0.1'],
      ['x-forwarded-proto', 'https'],
    ]);
  });
});

describe('the request id of a client', () => {
  const named = [...names, 'x-request-id', 'traceparent'];
  const options = { mode: 'session', forwardHeaders: named, forwardQuery: true, ...identifying } as const;
  const of = (headers: Readonly<Record<string, string>>, changes = {}) => {
    const { dial, requestId } = forwardedRequest(
      request(headers),
      handshake(),
      { ...options, ...changes },
      stranger,
    );
    return { told: dial.headers.filter(([name]) => name !== 'x-forwarded-for'), requestId };
  };

  it('is passed on as it came, with the trace', () => {
    expect(of({ 'x-request-id': 'r-1', traceparent: '00-aa-bb-01' })).toEqual({
      told: [
        ['x-request-id', 'r-1'],
        ['traceparent', '00-aa-bb-01'],
      ],
      requestId: 'r-1',
    });
  });

  it('is made where there is none and the client has a connection of its own, which costs nothing then', () => {
    const made = { told: [['x-request-id', 'made-here']], requestId: 'made-here' };
    expect(of({}, { opensFor: 'each' })).toEqual(made);
    expect(of({}, { opensFor: 'each', mode: 'mux' })).toEqual(made);
    expect(of({ traceparent: '00-aa-bb-01' }).requestId).toBe('made-here');
    expect(of({})).toEqual({ told: [], requestId: '' });
    expect(of({ traceparent: '00-aa-bb-01' }, { opensFor: 'none' }).requestId).toBe('');
    expect(of({}, { opensFor: 'each', forwardHeaders: names })).toEqual({ told: [], requestId: '' });
  });

  it.each(['two words', 'é', 'x'.repeat(129), 'a\tb'])('is not %j, which is as good as none', (id) => {
    expect(of({ 'x-request-id': id })).toEqual({ told: [], requestId: '' });
    expect(of({ 'x-request-id': id }, { opensFor: 'each' })).toEqual({
      told: [['x-request-id', 'made-here']],
      requestId: 'made-here',
    });
  });

  it('is known to logs even where it is not passed on', () => {
    expect(of({ 'x-request-id': 'r-1' }, { forwardHeaders: names })).toEqual({ told: [], requestId: 'r-1' });
  });
});
