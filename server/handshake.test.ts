import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkHandshake, isRejection, type Handshake, type Rejection } from './handshake.ts';

const correct: Readonly<Record<string, string>> = {
  host: 'gateway.example',
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
};

interface Change {
  readonly method?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly allowedOrigins?: readonly string[];
  readonly codecs?: readonly string[];
}

function check({
  method = 'GET',
  query = '',
  headers = {},
  allowedOrigins = [],
  codecs = ['zstd', 'gzip'],
}: Change = {}) {
  const all = { ...correct, ...headers };
  const request = { method, path: '/ws', query, header: (name: string) => all[name] ?? '' };
  return checkHandshake(request, { allowedOrigins: new Set(allowedOrigins), codecs: new Set(codecs) });
}

function accepted(change?: Change): Handshake {
  const outcome = check(change);
  if (isRejection(outcome)) throw new Error(`rejected: ${outcome.body}`);
  return outcome;
}

function rejected(change: Change): Rejection {
  const outcome = check(change);
  if (!isRejection(outcome)) throw new Error('accepted');
  return outcome;
}

describe('an opening handshake', () => {
  it('is accepted with what the answer is made from', () => {
    const headers = { 'sec-websocket-extensions': 'permessage-deflate', 'sec-websocket-protocol': 'b, a' };
    expect(accepted({ headers, query: 'x=1' })).toEqual({
      key: correct['sec-websocket-key'],
      extensions: 'permessage-deflate',
      protocols: ['b', 'a'],
      query: 'x=1',
      codec: undefined,
      codecProtocol: '',
      dictionaryId: undefined,
      peersDictionaryIds: '',
    });
  });

  it.each([
    { upgrade: 'WebSocket' },
    { connection: 'keep-alive, Upgrade' },
    { connection: 'UPGRADE' },
    { connection: 'upgrade ,keep-alive' },
  ])('is accepted with %j, as case and other tokens do not matter', (headers) => {
    expect(accepted({ headers })).toMatchObject({ protocols: [] });
  });

  it.each([
    { upgrade: '' },
    { upgrade: 'h2c' },
    { upgrade: 'websocketx' },
    { connection: '' },
    { connection: 'keep-alive' },
    { connection: 'notupgrade' },
    { connection: 'up grade' },
    { 'sec-websocket-key': '' },
    { 'sec-websocket-key': 'x' },
    { 'sec-websocket-key': 'not base64 not base64 no' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ=' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ===' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQAA' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ==' },
    { 'sec-websocket-key': '-_hlIHNhbXBsZSBub25jZQ==' },
    { 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==\n' },
  ])('is answered 400 with %j', (headers) => {
    expect(rejected({ headers })).toMatchObject({ status: 400, reason: 'handshake' });
  });

  it.each(['', '0', '8', '12', '14', '99', '013', '13.0', '+13', '13, 13', '13, 8', 'thirteen'])(
    'is answered 426, which names version 13, for version %j',
    (version) => {
      const rejection = rejected({ headers: { 'sec-websocket-version': version } });
      expect(rejection).toMatchObject({ status: 426, reason: 'version' });
      expect(rejection.headers).toContainEqual(['Sec-WebSocket-Version', '13']);
    },
  );

  it.each(['POST', 'PUT', 'HEAD', 'OPTIONS', 'CONNECT', 'get', 'Get'])(
    'is answered 400 for the method %s',
    (method) => {
      expect(rejected({ method })).toMatchObject({ status: 400, reason: 'handshake' });
    },
  );

  it('is never answered with what the client sent', () => {
    const canary = 'canary-5f2e';
    for (const name of [...Object.keys(correct), 'origin', 'sec-websocket-protocol']) {
      const outcome = check({ headers: { [name]: `${canary} <b>` }, allowedOrigins: ['https://a.example'] });
      if (isRejection(outcome)) expect(JSON.stringify(outcome)).not.toContain(canary);
    }
    expect(JSON.stringify(rejected({ query: `codec=${canary}` }))).not.toContain(canary);
  });
});

describe('an Origin', () => {
  const allowedOrigins = ['https://app.example', 'http://localhost:3000', 'https://app.example:8443'];

  it.each([
    'https://app.example',
    'HTTPS://App.Example',
    'http://localhost:3000',
    'https://app.example:8443',
  ])('on the list is let in: %s', (origin) => {
    expect(accepted({ headers: { origin }, allowedOrigins })).toBeDefined();
  });

  it('may be missing, for only browsers send one', () => {
    expect(accepted({ allowedOrigins })).toBeDefined();
  });

  it('may be any where no list is given', () => {
    expect(accepted({ headers: { origin: 'https://evil.example' } })).toBeDefined();
  });

  it.each([
    'null',
    'https://evil.example',
    'http://app.example',
    'wss://app.example',
    'https://app.example:443',
    'https://app.example:8080',
    'http://localhost',
    'http://localhost:30000',
    'https://app.example.evil.example',
    'https://evil-app.example',
    'https://evilapp.example',
    'https://sub.app.example',
    'https://app.example.',
    'https://app.example/',
    'https://app.example@evil.example',
    'https://app.example, https://evil.example',
    'https://app.example https://evil.example',
    'app.example',
    '*',
    '__proto__',
    'https://аpp.example',
  ])('that only resembles one on the list is answered 403: %s', (origin) => {
    expect(rejected({ headers: { origin }, allowedOrigins })).toMatchObject({
      status: 403,
      reason: 'origin',
    });
  });
});

describe('subprotocols', () => {
  it.each([
    ['', []],
    ['graphql-ws', ['graphql-ws']],
    ['a,b', ['a', 'b']],
    [' b ,\ta ', ['b', 'a']],
    ["!#$%&'*+-.^_`|~0aZ", ["!#$%&'*+-.^_`|~0aZ"]],
    ['A, a', ['A', 'a']],
    ['__proto__', ['__proto__']],
  ])('of %j are offered as %j', (header, protocols) => {
    expect(accepted({ headers: { 'sec-websocket-protocol': header } }).protocols).toEqual(protocols);
  });

  it.each([
    'a b',
    'a, a',
    'a/b',
    '"a"',
    'a=b',
    'a;b',
    '(a)',
    '[a]',
    '{a}',
    'é',
    'a\u0000',
    'a, b c',
    '\u{1f600}',
  ])('of %j are answered 400', (header) => {
    expect(rejected({ headers: { 'sec-websocket-protocol': header } })).toMatchObject({
      status: 400,
      reason: 'handshake',
    });
  });

  it('of the gateway itself do not reach the upstream', () => {
    const header = 'wsluice.zstd, graphql-ws, wsluice.mux.v1';
    expect(accepted({ headers: { 'sec-websocket-protocol': header } })).toMatchObject({
      protocols: ['graphql-ws'],
      codec: 'zstd',
      codecProtocol: 'wsluice.zstd',
    });
  });
});

describe('a codec', () => {
  it.each([
    'codec=',
    'codec',
    'codec=lzma',
    'codec=ZSTD',
    'a=1&codec=lzma',
    'codec=lzma&b=2',
    'codec=a&codec=b',
  ])('that nobody knows is answered 400, which lists the known ones: ?%s', (query) => {
    const rejection = rejected({ query, codecs: ['zstd', 'brotli', 'gzip'] });
    expect(rejection).toMatchObject({ status: 400, reason: 'codec' });
    for (const known of ['zstd', 'brotli', 'gzip']) expect(rejection.body).toContain(known);
  });

  it('of the URL is taken out of the query, with the dictionary that the client has', () => {
    expect(accepted({ query: 'a=1&codec=zstd&dictionary=77&b=2' })).toMatchObject({
      query: 'a=1&b=2',
      codec: 'zstd',
      codecProtocol: '',
      dictionaryId: 77,
    });
    expect(accepted({ query: 'codec=gzip' })).toMatchObject({
      query: '',
      codec: 'gzip',
      dictionaryId: undefined,
    });
  });

  it.each(['x', '', '-1', '1.5', '99999999999'])('with the dictionary %j is answered 400', (id) => {
    expect(rejected({ query: `codec=zstd&dictionary=${id}` })).toMatchObject({
      status: 400,
      reason: 'handshake',
    });
  });

  it('leaves a parameter named dictionary to the upstream where no codec is asked for', () => {
    expect(accepted({ query: 'dictionary=en' })).toMatchObject({
      query: 'dictionary=en',
      dictionaryId: undefined,
    });
  });

  it('that this gateway does not offer is answered 400, and so is any where none are offered', () => {
    expect(rejected({ query: 'codec=brotli', codecs: ['gzip'] }).body).toContain('known ones are gzip');
    expect(rejected({ query: 'codec=gzip', codecs: [] }).body).toContain('there are none here');
  });

  it.each(['CODEC=zstd', 'Codec=zstd', 'xcodec=zstd', 'codecs=zstd', 'x=codec', 'x=codec=zstd'])(
    'is not asked for by ?%s, which passes untouched',
    (query) => {
      expect(accepted({ query }).query).toBe(query);
    },
  );
});

describe('a query', () => {
  it('passes untouched, whatever it holds', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', 'codec', '=', '&', '%', '2', 'F', '+', '?', '/', ';'),
    });
    const foreign = text.filter((query) => !query.split('&').some((part) => /^codec(=|$)/.test(part)));
    fc.assert(
      fc.property(foreign, (query) => {
        expect(accepted({ query }).query).toBe(query);
      }),
    );
  });
});
