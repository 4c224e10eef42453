import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { freePort } from '../test/support/free-port.ts';
import { clientFrame, OPCODE, RawClient, upgradeRequest } from '../test/support/raw-client.ts';
import { onTearDown } from '../test/support/tear-down.ts';
import { tempDir } from '../test/support/temp-dir.ts';
import type { ClientSocket } from './connection.ts';
import type { UpgradeRequest } from './handshake.ts';
import {
  Listener,
  type Answer,
  type ListenerHandlers,
  type ListenerOptions,
  type UpgradeTerms,
} from './listener.ts';
import type { DeflateMode } from './permessage-deflate.ts';

type Handlers = ListenerHandlers<string, string>;

const open: Listener[] = [];
afterEach(() => {
  for (const listener of open.splice(0)) listener.close();
});

/** What happened on a listener, and a way to wait for the next event. */
class Events {
  readonly all: unknown[][] = [];
  #waiting: (() => void)[] = [];

  add(...event: unknown[]): void {
    this.all.push(event);
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async first(name: string): Promise<unknown[]> {
    for (;;) {
      const event = this.all.find(([first]) => first === name);
      if (event !== undefined) return event;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  count(name: string): number {
    return this.all.filter(([first]) => first === name).length;
  }
}

function terms(key: string): UpgradeTerms {
  return { key, protocol: '', extensions: '', headers: [] };
}

/** A listener that upgrades everybody and echoes, unless `handlers` say otherwise. */
async function listen(
  handlers: Partial<Handlers> = {},
  options: Partial<ListenerOptions<string, string>> = {},
) {
  const events = new Events();
  const sockets = new Map<string, ClientSocket>();
  const listener = await Listener.open<string, string>({
    host: '127.0.0.1',
    port: 0,
    tls: null,
    maxMessageBytes: 1_000,
    permessageDeflate: 'off',
    deflateMinBytes: 0,
    idleTimeoutMs: 0,
    ...options,
    handlers: {
      onRequest: (request, _peer, answer) => {
        answer.upgrade(request.path, terms(request.header('sec-websocket-key')));
      },
      onOpen: (socket, seat) => {
        sockets.set(seat, socket);
        events.add('open', seat);
        return seat;
      },
      onMessage: (client, message, isBinary) => {
        sockets.get(client)!.send(new Uint8Array(message), isBinary);
      },
      onPing: (client) => events.add('ping', client),
      onPong: (client) => events.add('pong', client),
      onDrain: (client) => events.add('drain', client),
      onClose: (client, code, reason) => events.add('close', client, code, reason),
      onError: (error) => events.add('error', error),
      ...handlers,
    },
  });
  open.push(listener);
  return { listener, port: listener.port, events, sockets };
}

function closeFrame(code?: number, reason = ''): Buffer {
  const payload = Buffer.alloc(code === undefined ? 0 : 2 + Buffer.byteLength(reason));
  if (code !== undefined) {
    payload.writeUInt16BE(code);
    payload.write(reason, 2);
  }
  return clientFrame(payload, { opcode: OPCODE.close });
}

async function expectEcho(port: number): Promise<void> {
  const { client } = await RawClient.upgrade(port, { path: '/echo' });
  client.send(clientFrame('still here'));
  expect((await client.nextFrame()).payload.toString()).toBe('still here');
  client.destroy();
}

describe('a request', () => {
  it('is handed over with its path, query, headers and the address of the peer', async () => {
    const seen: [UpgradeRequest, string][] = [];
    const { port } = await listen({
      onRequest: (request, peer, answer) => {
        seen.push([request, peer]);
        answer.end(418, [['X-One', '1']], 'short');
      },
    });
    const headers = { Cookie: 'a=1; b=2', 'X-Forwarded-For': '1.1.1.1\r\nX-Forwarded-For: 2.2.2.2' };
    const { answer } = await RawClient.upgrade(port, {
      path: '/ws?a=%20&b&codec',
      headers,
      from: '127.0.0.3',
    });
    expect([answer.status, answer.headers['x-one'], answer.body.trim()]).toEqual([418, '1', 'short']);
    // The engine's own request is dead by now; what was handed over is a copy.
    const [request, peer] = seen[0]!;
    expect([request.method, request.path, request.query, peer]).toEqual([
      'GET',
      '/ws',
      'a=%20&b&codec',
      '127.0.0.3',
    ]);
    expect(request.header('cookie')).toBe('a=1; b=2');
    expect(request.header('x-forwarded-for')).toBe('1.1.1.1, 2.2.2.2');
    expect(request.header('absent')).toBe('');
  });

  it('without a query has an empty one', async () => {
    const queries: string[] = [];
    const { port } = await listen({
      onRequest: (request, _peer, answer) => {
        queries.push(request.query);
        answer.end(404, [], '');
      },
    });
    await RawClient.upgrade(port, { path: '/ws' });
    await RawClient.upgrade(port, {
      path: '/ws',
      headers: { Upgrade: null, Connection: null, 'Sec-WebSocket-Key': null },
    });
    expect(queries).toEqual(['', '']);
  });

  it('that makes a handler throw is answered 500 without the reason, and others are served', async () => {
    const fault = new Error('bug: secret detail');
    const { port, events } = await listen({
      onRequest: (request, _peer, answer) => {
        if (request.path === '/throws') throw fault;
        answer.upgrade(request.path, terms(request.header('sec-websocket-key')));
      },
    });
    const { answer } = await RawClient.upgrade(port, { path: '/throws' });
    expect(answer.status).toBe(500);
    expect(answer.body).not.toContain('secret');
    expect(events.all).toEqual([['error', fault]]);
    await expectEcho(port);
  });

  it('that was answered before its handler threw keeps that answer', async () => {
    const { port, events } = await listen({
      onRequest: (_request, _peer, answer) => {
        answer.end(403, [], 'no');
        throw new Error('bug: too late');
      },
    });
    expect((await RawClient.upgrade(port)).answer.status).toBe(403);
    expect(events.count('error')).toBe(1);
  });

  it('can be answered later', async () => {
    const answers: Answer<string>[] = [];
    const { port } = await listen({ onRequest: (_request, _peer, answer) => void answers.push(answer) });
    const client = await RawClient.connect(port);
    client.send(upgradeRequest(port));
    await expect.poll(() => answers.length).toBe(1);
    expect(answers[0]!.upgrade('seat', { ...terms('dGhlIHNhbXBsZSBub25jZQ=='), protocol: 'chosen' })).toBe(
      true,
    );
    const answer = await client.answer();
    expect([answer.status, answer.headers['sec-websocket-protocol']]).toEqual([101, 'chosen']);
    expect(answer.headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=');
    answers[0]!.end(500, [], 'a second answer is none');
    expect(answers[0]!.upgrade('seat', terms(''))).toBe(false);
  });

  it('of a client that has gone is not answered any more, and its end is told once', async () => {
    const answers: Answer<string>[] = [];
    const { port, events } = await listen({
      onRequest: (request, _peer, answer) => {
        if (request.path === '/echo') {
          answer.upgrade('/echo', terms(request.header('sec-websocket-key')));
          return;
        }
        answers.push(answer);
        answer.onGone(() => events.add('gone'));
      },
    });
    for (let i = 0; i < 2; i++) {
      const client = await RawClient.connect(port);
      client.send(upgradeRequest(port));
      await expect.poll(() => answers.length).toBe(i + 1);
      client.destroy();
    }
    await expect.poll(() => events.count('gone')).toBe(2);
    expect(answers[0]!.upgrade('seat', terms('dGhlIHNhbXBsZSBub25jZQ=='))).toBe(false);
    answers[1]!.end(503, [], 'late');
    expect(events.all).toEqual([['gone'], ['gone']]);
    await expectEcho(port);
  });

  it('with an unknown status is still an HTTP answer', async () => {
    const { port } = await listen({ onRequest: (_request, _peer, answer) => answer.end(451, [], 'law') });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect([response.status, await response.text()]).toEqual([451, 'law\n']);
  });
});

describe('a connection', () => {
  it.each([
    ['without a code', closeFrame(), 1005, ''],
    ['with 1000', closeFrame(1000, 'bye'), 1000, 'bye'],
    ['with 4000', closeFrame(4000, 'ä'), 4000, 'ä'],
    ['with 4999', closeFrame(4999), 4999, ''],
  ])('that its client closes %s is reported so', async (_how, frame, code, reason) => {
    const { port, events } = await listen();
    const { client } = await RawClient.upgrade(port);
    client.send(frame);
    expect(await events.first('close')).toEqual(['close', '/ws', code, reason]);
  });

  it.each([1012, 1013, 3000, 3999])(
    'that its client closes with %i, which the engine does not know, is not taken for one that broke',
    async (code) => {
      const { port, events } = await listen();
      const { client } = await RawClient.upgrade(port);
      client.send(closeFrame(code, 'bye'));
      expect((await events.first('close'))[2]).not.toBe(1006);
    },
  );

  it('that breaks is reported as 1006', async () => {
    const { port, events } = await listen();
    const { client } = await RawClient.upgrade(port);
    client.destroy();
    expect((await events.first('close'))[2]).toBe(1006);
  });

  it.each([1001, 1008, 1012, 1013, 3000, 4999])('can be ended with %i', async (code) => {
    const { port, sockets, events } = await listen();
    const { client } = await RawClient.upgrade(port);
    sockets.get('/ws')!.end(code, 'why');
    expect(events.count('close')).toBe(1);
    const frame = await client.nextFrame();
    expect([frame.payload.readUInt16BE(), frame.payload.toString('utf8', 2)]).toEqual([code, 'why']);
  });

  it('can be ended without a code', async () => {
    const { port, sockets, events } = await listen();
    const { client } = await RawClient.upgrade(port);
    sockets.get('/ws')!.end();
    expect(await events.first('close')).toEqual(['close', '/ws', 1005, '']);
    expect((await client.nextFrame()).payload).toHaveLength(0);
  });

  it('whose open handler throws is cut, and others are served', async () => {
    let throws = true;
    const { port, events } = await listen({
      onOpen: (socket) => {
        if (throws) throw new Error('bug: in open');
        socket.send(Buffer.from('hello'), false);
        return 'client';
      },
    });
    const client = await RawClient.connect(port);
    client.send(upgradeRequest(port));
    await client.closed;
    expect([events.count('error'), events.count('close')]).toEqual([1, 0]);
    throws = false;
    const { client: second } = await RawClient.upgrade(port);
    expect((await second.nextFrame()).payload.toString()).toBe('hello');
  });

  it('whose message handler throws is closed with 1011', async () => {
    const fail = (): never => {
      throw new Error('bug: in a handler');
    };
    const { port, events } = await listen({ onMessage: fail });
    const { client } = await RawClient.upgrade(port);
    client.send(clientFrame('x'));
    expect(await events.first('close')).toContain(1011);
    expect(events.count('error')).toBe(1);
  });

  it('whose ping, pong or close handler throws harms no other', async () => {
    const fail = (): never => {
      throw new Error('bug: in a handler');
    };
    const { port, events } = await listen({ onPing: fail, onPong: fail, onClose: fail });
    const { client } = await RawClient.upgrade(port);
    client.send(clientFrame('x', { opcode: OPCODE.ping }));
    client.send(clientFrame('', { opcode: OPCODE.pong }));
    client.send(closeFrame(1000));
    await expect.poll(() => events.count('error')).toBe(3);
    expect((await RawClient.upgrade(port)).answer.status).toBe(101);
  });

  it('gets a message that is somewhat too long, so that its sender can be told why it is closed', async () => {
    const lengths: number[] = [];
    const { port, events } = await listen({
      onMessage: (_client, message) => {
        lengths.push(message.byteLength);
        events.add('message');
      },
    });
    const { client } = await RawClient.upgrade(port);
    client.send(clientFrame('x'.repeat(1_001)));
    await events.first('message');
    expect(lengths).toEqual([1_001]);
  });
});

describe('permessage-deflate', () => {
  const offer = 'permessage-deflate; client_max_window_bits';
  const accept: Partial<Handlers> = {
    onRequest: (request, _peer, answer) => {
      const extensions = request.header('sec-websocket-extensions');
      answer.upgrade('/ws', { ...terms(request.header('sec-websocket-key')), extensions });
    },
  };
  const deflated = (text: string | Buffer): Buffer =>
    deflateRawSync(text, { finishFlush: constants.Z_SYNC_FLUSH, windowBits: 9 }).subarray(0, -4);
  const compressed = 4;

  async function open(permessageDeflate: DeflateMode, extensions = offer, deflateMinBytes = 0) {
    const listening = await listen(accept, { permessageDeflate, deflateMinBytes });
    const headers = { 'Sec-WebSocket-Extensions': extensions };
    const { client, answer } = await RawClient.upgrade(listening.port, { headers });
    return { ...listening, client, agreed: answer.headers['sec-websocket-extensions'] };
  }

  it.each<[DeflateMode, string, string | undefined]>([
    ['off', offer, undefined],
    ['shared', offer, 'client_no_context_takeover; server_no_context_takeover'],
    ['shared', 'permessage-deflate; server_max_window_bits=10', undefined],
    ['dedicated-4KB', offer, 'client_max_window_bits=9; server_max_window_bits=9'],
    ['dedicated-32KB', offer, 'client_max_window_bits=12; server_max_window_bits=12'],
    ['dedicated-32KB', `${offer}=10`, 'client_max_window_bits=10; server_max_window_bits=12'],
    [
      'dedicated-32KB',
      `${offer}; server_max_window_bits=9`,
      'client_max_window_bits=12; server_max_window_bits=9',
    ],
    ['dedicated-32KB', 'permessage-deflate', 'client_no_context_takeover; server_max_window_bits=12'],
    ['dedicated-32KB', `${offer}; server_no_context_takeover`, undefined],
    ['dedicated-256KB', offer, ''],
    ['dedicated-256KB', `${offer}; client_no_context_takeover`, 'client_no_context_takeover'],
    ['dedicated-256KB', `${offer}; server_max_window_bits=15`, 'server_max_window_bits=14'],
  ])('%s answers %s with %s', async (mode, offered, parameters) => {
    const { agreed } = await open(mode, offered);
    const answer = parameters === '' ? 'permessage-deflate' : `permessage-deflate; ${parameters ?? ''}`;
    expect(agreed).toBe(parameters === undefined ? undefined : answer);
  });

  it('takes compressed and plain messages, whole and in fragments', async () => {
    const { client } = await open('shared');
    const text = 'fragment after fragment, '.repeat(9);
    const bytes = deflated(text);
    client.send(clientFrame(bytes, { rsv: compressed }));
    client.send(clientFrame(text));
    client.send(clientFrame(bytes.subarray(0, 9), { rsv: compressed, fin: false }));
    client.send(clientFrame('', { opcode: OPCODE.continuation, fin: false }));
    client.send(clientFrame('', { opcode: OPCODE.ping }));
    client.send(clientFrame(bytes.subarray(9), { opcode: OPCODE.continuation }));
    const frames = [];
    while (frames.length < 4) frames.push(await client.nextFrame());
    expect(frames.map(({ opcode }) => opcode)).toEqual([OPCODE.text, OPCODE.text, OPCODE.pong, OPCODE.text]);
    const texts = frames
      .filter(({ opcode }) => opcode === OPCODE.text)
      .map(({ payload }) => inflated(payload));
    expect(texts).toEqual([text, text, text]);
  });

  it('leaves messages below the threshold as they are', async () => {
    const { client } = await open('shared', offer, 101);
    for (const length of [100, 101]) client.send(clientFrame('x'.repeat(length)));
    expect((await client.nextFrame()).payload.toString()).toBe('x'.repeat(100));
    expect((await client.nextFrame()).payload.length).toBeLessThan(20);
  });

  it('that was not negotiated is neither sent nor taken', async () => {
    const { client } = await open('shared', '');
    client.send(clientFrame('x'.repeat(900)));
    expect((await client.nextFrame()).payload).toHaveLength(900);
    client.send(clientFrame(deflated('x'), { rsv: compressed }));
    expect(await client.closed).toBe(1006);
  });

  it.each<[string, Buffer]>([
    ['a message that unpacks to far more than is allowed', deflated(Buffer.alloc(10 << 20))],
    ['garbage', Buffer.from('garbage')],
  ])('cuts off who sends %s, and serves others', async (_, payload) => {
    const { client, port, events } = await open('shared');
    client.send(clientFrame(payload, { rsv: compressed }));
    expect(await client.closed).toBe(1006);
    expect((await events.first('close'))[2]).toBe(1009);
    expect(events.count('error')).toBe(0);
    await expectEcho(port);
  });

  it('hands over a message that unpacks to somewhat more, so that its sender can be told', async () => {
    const { client } = await open('shared');
    client.send(clientFrame(deflated('x'.repeat(1_001)), { rsv: compressed }));
    expect(inflated((await client.nextFrame()).payload)).toHaveLength(1_001);
  });
});

/** A payload as it was before compression; one that is not compressed stays as it is. */
function inflated(payload: Buffer): string {
  const tail = Buffer.from([0, 0, 0xff, 0xff]);
  try {
    return inflateRawSync(Buffer.concat([payload, tail]), { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  } catch {
    return payload.toString();
  }
}

describe('the port', () => {
  it('is free again after close, and twice is no harm', async () => {
    const port = await freePort();
    for (let i = 0; i < 2; i++) {
      const { listener } = await listen({}, { port });
      await expectEcho(port);
      listener.close();
      listener.close();
    }
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });

  it('takes nobody new after stopListening, and those there are stay', async () => {
    const { listener, port } = await listen();
    const { client } = await RawClient.upgrade(port, { path: '/echo' });
    listener.stopListening();
    listener.stopListening();
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
    client.send(clientFrame('still here'));
    expect((await client.nextFrame()).payload.toString()).toBe('still here');
  });

  it('counts its visitors: connections that are no WebSockets', async () => {
    const { listener, port } = await listen({
      onRequest: (request, _peer, answer) => {
        if (request.path === '/no') answer.end(404, [], 'no');
        else answer.upgrade(request.path, terms(request.header('sec-websocket-key')));
      },
    });
    const visitors = (count: number): Promise<void> =>
      vi.waitFor(() => expect(listener.visitors).toBe(count));
    const idle = await RawClient.connect(port);
    await visitors(1);
    const { client } = await RawClient.upgrade(port);
    await visitors(1);
    client.destroy();
    const { client: refused } = await RawClient.upgrade(port, { path: '/no' });
    await refused.closed;
    await visitors(1);
    idle.destroy();
    await visitors(0);
  });

  it('that another program holds is a WSLUICE_LISTEN that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTearDown(() => void other.close());
    const { port } = other.address() as AddressInfo;
    await expect(listen({}, { port })).rejects.toMatchObject({
      code: 'WSLUICE_LISTEN',
      message: expect.stringContaining(`127.0.0.1:${port}`) as string,
    });
  });

  it('is shared with another listener of the engine, for a hand-over without a gap', async () => {
    const port = await freePort();
    const first = await listen({}, { port });
    await listen({}, { port });
    first.listener.stopListening();
    for (let i = 0; i < 5; i++) await expectEcho(port);
  });

  it('of an address that is not of this machine is a WSLUICE_LISTEN', async () => {
    await expect(listen({}, { host: '192.0.2.1' })).rejects.toMatchObject({ code: 'WSLUICE_LISTEN' });
  });

  it('with a certificate file that is not one, or not there, is an error with a code, not a crash', async () => {
    const [nonsense, absent] = [join(tempDir(), 'bad.pem'), join(tempDir(), 'absent.pem')];
    writeFileSync(nonsense, 'nonsense');
    for (const path of [nonsense, absent]) {
      const tls = { cert: path, key: path };
      await expect(listen({}, { tls })).rejects.toMatchObject({
        code: expect.stringMatching(/^WSLUICE_/) as string,
      });
    }
  });
});
