import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { handshakeRequest, HandshakeResponse, newKey, UpstreamHandshakeError } from './client-handshake.ts';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const plain = { host: 'example.com:9001', path: '/ws?a=1', key, protocols: [], headers: [] };

describe('newKey', () => {
  it('is 16 bytes in base64, another one each time', () => {
    expect(Buffer.from(newKey(), 'base64')).toHaveLength(16);
    expect(newKey()).not.toBe(newKey());
  });
});

describe('handshakeRequest', () => {
  it('writes the handshake of RFC 6455 section 4.1', () => {
    const request = handshakeRequest({
      ...plain,
      protocols: ['chat', 'superchat'],
      headers: [
        ['cookie', 'a=b; c=d'],
        ['x-name', 'naïve\t€'],
      ],
    });
    expect(request.toString()).toBe(
      'GET /ws?a=1 HTTP/1.1\r\nHost: example.com:9001\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        `Sec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat, superchat\r\n` +
        'cookie: a=b; c=d\r\nx-name: naïve\t€\r\n\r\n',
    );
  });

  const refused = expect.objectContaining({ code: 'WSLUICE_BAD_HEADER' }) as Error;

  it.each(['\r', '\n', '\0', '\r\nevil: 1', '\x7f'])('refuses %j in any value', (bad) => {
    const value = `a${bad}b`;
    expect(() => handshakeRequest({ ...plain, host: value })).toThrow(refused);
    expect(() => handshakeRequest({ ...plain, path: `/${value}` })).toThrow(refused);
    expect(() => handshakeRequest({ ...plain, key: value })).toThrow(refused);
    expect(() => handshakeRequest({ ...plain, protocols: ['ok', value] })).toThrow(refused);
    expect(() => handshakeRequest({ ...plain, headers: [['x-name', value]] })).toThrow(refused);
    expect(() => handshakeRequest({ ...plain, headers: [[value, 'ok']] })).toThrow(refused);
  });

  it('lets no character become a line end when it is encoded', () => {
    const request = handshakeRequest({ ...plain, headers: [['x-name', 'a\u010d\u010aevil: 1']] });
    expect(request.toString('latin1').split('\r\n').at(-3)).toMatch(/^x-name: a.{4}evil: 1$/);
  });

  it.each(['', 'a b', 'a:', 'a,b', 'é'])('refuses the header name or subprotocol %j', (bad) => {
    expect(() => handshakeRequest({ ...plain, headers: [[bad, 'x']] })).toThrow(refused);
    expect(() => handshakeRequest({ ...plain, protocols: [bad] })).toThrow(refused);
  });

  it.each([
    'Host',
    'upgrade',
    'Connection',
    'Sec-WebSocket-Extensions',
    'sec-websocket-key',
    'Transfer-Encoding',
  ])('refuses the extra header %s, which is its own', (name) =>
    expect(() => handshakeRequest({ ...plain, headers: [[name, 'x']] })).toThrow(refused),
  );

  it.each(['', 'ws', '/a b', 'http://x/'])('refuses the path %j', (path) => {
    expect(() => handshakeRequest({ ...plain, path })).toThrow(refused);
  });
});

const good: readonly (readonly [string, string])[] = [
  ['Upgrade', 'websocket'],
  ['Connection', 'Upgrade'],
  ['Sec-WebSocket-Accept', accept],
];

/** A good answer with some headers changed (left out when undefined), and more added as they are. */
function answer(
  changed: Readonly<Record<string, string | undefined>> = {},
  more = '',
  status = 'HTTP/1.1 101 Switching Protocols',
): Buffer {
  const headers = Object.entries({ ...Object.fromEntries(good), ...changed });
  const lines = headers
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.from(`${status}\r\n${lines.join('')}${more}\r\n`, 'latin1');
}

function response(offered: readonly string[] = ['chat', 'superchat'], maxBytes?: number): HandshakeResponse {
  return new HandshakeResponse({ key, offered, ...(maxBytes === undefined ? {} : { maxBytes }) });
}

describe('HandshakeResponse', () => {
  it('finds the first frame behind the head, split at every byte', () => {
    const head = answer({ 'Sec-WebSocket-Protocol': 'superchat' });
    const bytes = Buffer.concat([head, Buffer.from([0x81, 1, 0x61])]);
    for (let at = 0; at <= bytes.length; at++) {
      const reader = response();
      const first = reader.push(bytes, 0, at);
      if (at < head.length) {
        expect(first).toBe('more');
        expect(reader.push(bytes, at, bytes.length)).toEqual({
          protocol: 'superchat',
          codec: '',
          dictionaryIds: '',
          leftoverStart: head.length,
        });
      } else {
        expect(first).toEqual({
          protocol: 'superchat',
          codec: '',
          dictionaryIds: '',
          leftoverStart: head.length,
        });
      }
    }
  });

  it('reads one byte at a time out of a memory that is used again', () => {
    const reader = response();
    const head = answer();
    const memory = Buffer.alloc(4);
    const answers = [...head].map((byte) => {
      memory[3] = byte;
      return reader.push(memory, 3, 4);
    });
    expect(answers.pop()).toEqual({ protocol: '', codec: '', dictionaryIds: '', leftoverStart: 4 });
    expect(new Set(answers)).toEqual(new Set(['more']));
  });

  const accepted: readonly [name: string, bytes: Buffer, protocol: string][] = [
    [
      'other cases and more tokens',
      answer({ Upgrade: 'WebSocket', Connection: 'keep-alive ,\tUPGRADE' }),
      '',
    ],
    ['Connection on two lines', answer({ Connection: 'keep-alive' }, 'connection: upgrade\r\n'), ''],
    [
      'space around values and none',
      answer({ 'Sec-WebSocket-Accept': `\t ${accept} ` }, 'x:y\r\nz:\r\n'),
      '',
    ],
    ['no reason phrase', answer({}, '', 'HTTP/1.1 101'), ''],
    ['bytes above ASCII', answer({ Server: 'caf\xe9' }), ''],
    ['an empty list of extensions', answer({ 'Sec-WebSocket-Extensions': '' }), ''],
    ['a subprotocol', answer({ 'Sec-WebSocket-Protocol': 'chat' }), 'chat'],
  ];
  it.each(accepted)('accepts %s', (_, bytes, protocol) => {
    expect(response().push(bytes, 0, bytes.length)).toEqual({
      protocol,
      codec: '',
      dictionaryIds: '',
      leftoverStart: bytes.length,
    });
  });

  const refused: readonly [name: string, message: RegExp, bytes: Buffer][] = [
    ['no Upgrade', /Upgrade/, answer({ Upgrade: undefined })],
    ['another Upgrade', /Upgrade/, answer({ Upgrade: 'h2c' })],
    ['two Upgrades', /Upgrade more than once/, answer({}, 'Upgrade: websocket\r\n')],
    ['no Connection', /Connection/, answer({ Connection: undefined })],
    ['Connection without upgrade', /Connection/, answer({ Connection: 'keep-alive, upgrades' })],
    ['no accept value', /Accept/, answer({ 'Sec-WebSocket-Accept': undefined })],
    ['a wrong accept value', /Accept/, answer({ 'Sec-WebSocket-Accept': accept.toLowerCase() })],
    ['two accept values', /Accept/, answer({}, `Sec-WebSocket-Accept: ${accept}\r\n`)],
    ['an extension', /extension/, answer({ 'Sec-WebSocket-Extensions': 'permessage-deflate' })],
    ['a subprotocol not offered', /subprotocol/, answer({ 'Sec-WebSocket-Protocol': 'Chat' })],
    ['two subprotocols', /subprotocol/, answer({ 'Sec-WebSocket-Protocol': 'chat, superchat' })],
    [
      'a subprotocol twice',
      /Protocol/,
      answer({ 'Sec-WebSocket-Protocol': 'chat' }, 'Sec-WebSocket-Protocol: chat\r\n'),
    ],
    ['a folded line', /header line/, answer({}, 'x: a\r\n b\r\n')],
    ['a folded first line', /header line/, answer({}, '', 'HTTP/1.1 101 ok\r\n folded')],
    ['a line without a colon', /header line/, answer({}, 'garbage\r\n')],
    ['a space before the colon', /header line/, answer({}, 'x : y\r\n')],
    ['an empty name', /header line/, answer({}, ': y\r\n')],
    ['a lone line feed', /header line/, answer({}, 'x: a\nUpgrade: b\r\n')],
    ['a lone carriage return', /header line/, answer({}, 'x: a\rb\r\n')],
    ['a NUL', /header line/, answer({}, 'x: a\0b\r\n')],
    ['HTTP/1.0', /HTTP\/1.0/, answer({}, '', 'HTTP/1.0 101 Switching Protocols')],
    ['a status of two digits', /status line/, answer({}, '', 'HTTP/1.1 10 x')],
    ['a status glued to its phrase', /status line/, answer({}, '', 'HTTP/1.1 101x')],
    ['HTTP/2', /not HTTP|status line/, answer({}, '', 'HTTP/2 101 x')],
    ['another protocol', /not HTTP/, Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
    ['a TLS alert', /not HTTP: "\\u0015/, Buffer.from([0x15, 3, 3, 0, 2, 2, 70])],
  ];
  it.each(refused)('refuses %s', (_, message, bytes) => {
    const wanted = expect.objectContaining({
      code: 'WSLUICE_UPSTREAM_HANDSHAKE',
      status: undefined,
      message: expect.stringMatching(message) as string,
    }) as Error;
    expect(() => response().push(bytes, 0, bytes.length)).toThrow(wanted);
  });

  it.each([100, 200, 301, 401, 404, 426, 503])('refuses status %i and tells it', (status) => {
    const bytes = Buffer.from(`HTTP/1.1 ${status} Some Words\r\nContent-Length: 0\r\n\r\n`);
    const wanted = expect.objectContaining({ code: 'WSLUICE_UPSTREAM_HANDSHAKE', status }) as Error;
    expect(() => response().push(bytes, 0, bytes.length)).toThrow(wanted);
  });

  it('refuses a subprotocol when none was offered', () => {
    const bytes = answer({ 'Sec-WebSocket-Protocol': 'chat' });
    expect(() => response([]).push(bytes, 0, bytes.length)).toThrow('a subprotocol that was not offered');
  });

  it('refuses a head over maxBytes, however it arrives, and never counts frames as part of it', () => {
    const head = answer();
    const withFrames = Buffer.concat([head, Buffer.alloc(1000)]);
    expect(response([], head.length).push(withFrames, 0, withFrames.length)).toEqual({
      protocol: '',
      codec: '',
      dictionaryIds: '',
      leftoverStart: head.length,
    });
    expect(() => response([], head.length - 1).push(withFrames, 0, withFrames.length)).toThrow('over');
    for (let at = 1; at < head.length; at++) {
      const reader = response([], head.length - 1);
      expect(() => {
        reader.push(head, 0, at);
        reader.push(head, at, head.length);
      }).toThrow('over');
    }
    const endless = response();
    const chunk = Buffer.from('HTTP/1.1 101 x\r\nx: '.padEnd(1000, 'y'));
    expect(() => {
      for (let i = 0; i < 17; i++) endless.push(chunk, 0, chunk.length);
    }).toThrow('response head over 16384 bytes');
  });

  it('escapes and shortens what it quotes, which is no value', () => {
    const bytes = answer({}, `x y\x1b[31m${'z'.repeat(500)}: canary\r\n`);
    const message = (() => {
      try {
        response().push(bytes, 0, bytes.length);
      } catch (error) {
        return error instanceof UpstreamHandshakeError ? error.message : '';
      }
      return '';
    })();
    expect(message).toMatch(/^bad header line "x y\\u001b\[31mz+"$/);
    expect(message.length).toBeLessThan(120);
  });

  it('knows the example of RFC 6455 section 1.3', () => {
    expect(createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')).toBe(
      accept,
    );
  });
});
