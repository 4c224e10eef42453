import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client, Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import type { JsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced } from './support/ledger.ts';
import { seededRandom } from './support/random.ts';
import { OPCODE, RawClient, clientFrame, upgradeRequest } from './support/raw-client.ts';
import { startSessionBackend } from './support/session-backend.ts';

const SEED = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000);

let rpc: JsonRpcBackend;
let gateway: Gateway;
let honest: Client;
const attackers: Client[] = [];

beforeAll(async () => {
  rpc = await startJsonRpcBackend({ shuffleEveryMs: 3, seed: SEED });
  const echo = await startSessionBackend();
  gateway = await startGateway({
    config: {
      listen: { maxMessageBytes: 65_536 },
      routes: [
        { path: '/ws', pool: 'rpc' },
        { path: '/session', pool: 'session' },
      ],
      pools: {
        rpc: { mode: 'request', upstreams: [rpc.url], maxConnections: 4, requestTimeoutMs: 2_000 },
        session: { mode: 'session', upstreams: [echo.url], minConnections: 0 },
      },
    },
  });
  honest = await connectClient(gateway.url);
  console.log(`seed of the attacks: ${SEED} (set WSLUICE_TEST_SEED to repeat)`);
});

afterEach(async () => {
  for (const attacker of attackers.splice(0)) attacker.socket.terminate();
  expect(gateway.hasExited(), gateway.output().slice(-2_000)).toBe(false);
  const params = [`honest ${Math.random()}`];
  expect(await honest.call({ jsonrpc: '2.0', id: 1, method: 'echo', params }, 10_000)).toMatchObject({
    result: params,
  });
  expect(honest.waiting(), 'messages that the honest client never asked for').toBe(0);
  await eventually(async () =>
    expect((await gateway.metrics()).sum('websocket_connections_total'), 'open connections').toBe(1),
  );
  await expectBalanced(gateway);
});

describe('garbage', () => {
  it('in place of a handshake harms nobody', async () => {
    const random = seededRandom(SEED);
    await inTurns(200, async () => {
      const client = await RawClient.connect(gateway.port);
      client.send(randomBytes(random, 1 + Math.floor(random() * 600)));
      if (random() < 0.3) client.send('\r\n\r\n');
      client.destroy();
    });
  });

  it('in place of half a handshake harms nobody', async () => {
    const random = seededRandom(SEED + 1);
    const whole = upgradeRequest(gateway.port);
    await inTurns(200, async () => {
      const client = await RawClient.connect(gateway.port);
      client.send(whole.slice(0, Math.floor(random() * whole.length)));
      await new Promise((resolve) => setTimeout(resolve, random() * 5));
      client.destroy();
    });
  });

  it.each(['/ws', '/session'])('in place of frames on %s harms nobody', async (path) => {
    const random = seededRandom(SEED + 2);
    await inTurns(200, async () => {
      const { client } = await RawClient.upgrade(gateway.port, { path });
      for (let i = 0; i < 5; i++) client.send(randomBytes(random, 1 + Math.floor(random() * 200)));
      await new Promise((resolve) => setTimeout(resolve, random() * 5));
      client.destroy();
    });
  });
});

describe('frames that break RFC 6455', () => {
  const frames: [string, Buffer][] = [
    ['a reserved opcode', clientFrame('x', { opcode: 3 })],
    ['a reserved control opcode', clientFrame('x', { opcode: 11 })],
    ['reserved bits', clientFrame('x', { rsv: 7 })],
    ['a fragmented ping', clientFrame('x', { opcode: OPCODE.ping, fin: false })],
    ['a ping of 126 bytes', clientFrame(Buffer.alloc(126), { opcode: OPCODE.ping })],
    ['a continuation of nothing', clientFrame('x', { opcode: OPCODE.continuation })],
    ['text inside a fragmented text', Buffer.concat([clientFrame('x', { fin: false }), clientFrame('y')])],
    ['a close of one byte', clientFrame('x', { opcode: OPCODE.close })],
    ['a close with code 1006', clientFrame(Buffer.from([0x03, 0xee]), { opcode: OPCODE.close })],
    ['text that is not UTF-8', clientFrame(Buffer.from([0xc3, 0x28]))],
    ['a declared length of 2 GB', clientFrame('x', { declaredLength: 2 ** 31 })],
    ['a declared length of 2^53', clientFrame('x', { declaredLength: 2 ** 53 })],
  ];

  it.each(frames.flatMap(([what, bytes]) => ['/ws', '/session'].map((path) => ({ what, path, bytes }))))(
    'end the connection: $what on $path',
    async ({ path, bytes }) => {
      const { client } = await RawClient.upgrade(gateway.port, { path });
      client.send(bytes);
      await client.closed;
    },
  );

  it.each(['/ws', '/session'])('of a message over the limit end in 1009 on %s', async (path) => {
    const { client } = await RawClient.upgrade(gateway.port, { path });
    client.send(clientFrame(Buffer.alloc(65_537, 'x')));
    expect(await client.closed).toBe(1009);
    const { client: fragmenting } = await RawClient.upgrade(gateway.port, { path });
    fragmenting.send(clientFrame(Buffer.alloc(40_000, 'x'), { fin: false }));
    fragmenting.send(clientFrame(Buffer.alloc(40_000, 'x'), { opcode: OPCODE.continuation }));
    expect(await fragmenting.closed).toBe(1009);
  });

  it('in the thousands and tiny are joined or refused, never more', async () => {
    const { client } = await RawClient.upgrade(gateway.port, { path: '/session' });
    const middle = Array.from({ length: 5_000 }, () =>
      clientFrame('x', { opcode: OPCODE.continuation, fin: false }),
    );
    const last = clientFrame('', { opcode: OPCODE.continuation });
    client.send(Buffer.concat([clientFrame('', { fin: false }), ...middle, last]));
    const answer = await client.nextFrame();
    if (answer.opcode === OPCODE.text) expect(answer.payload.toString()).toBe('x'.repeat(5_000));
    else expect(answer.opcode).toBe(OPCODE.close);
    client.destroy();
  });

  it('pings by the thousand leave others served', async () => {
    const { client } = await RawClient.upgrade(gateway.port);
    client.send(
      Buffer.concat(Array.from({ length: 20_000 }, () => clientFrame('', { opcode: OPCODE.ping }))),
    );
    const params = ['meanwhile'];
    expect(await honest.call({ jsonrpc: '2.0', id: 2, method: 'echo', params })).toMatchObject({
      result: params,
    });
    client.destroy();
  });
});

describe('fuzzed messages', () => {
  const count = 10_000;

  it('in request mode are forwarded as JSON or refused, and each request ends', async () => {
    const random = seededRandom(SEED + 3);
    const clients = await Promise.all(Array.from({ length: 20 }, () => attack(gateway.url)));
    for (let n = 0; n < count; n++) clients[n % clients.length]!.send(mutate(random, sample(random)));
    const last = { jsonrpc: '2.0', id: 'the last', method: 'echo', params: ['still served'] };
    for (const client of clients) {
      client.send(last);
      expect(await untilLast(client)).toMatchObject({ result: ['still served'] });
    }
    await expectBalanced(gateway);
    expect(rpc.malformed, 'what the gateway took for JSON and JSON.parse does not').toEqual([]);
  });

  it('in session mode come back byte for byte', async () => {
    const random = seededRandom(SEED + 4);
    const clients = await Promise.all(Array.from({ length: 10 }, () => attack(gateway.at('/session'))));
    const sent = clients.map((client) =>
      Array.from({ length: count / clients.length }, () => {
        const bytes = randomBytes(random, Math.floor(random() * 64));
        client.send(bytes);
        return bytes;
      }),
    );
    for (const [n, client] of clients.entries()) {
      for (const bytes of sent[n]!) expect((await client.next()).data.equals(bytes)).toBe(true);
    }
  });
});

describe('parser differentials', () => {
  const refused: [string, string][] = [
    ['two ids', '{"jsonrpc":"2.0","id":1,"id":2,"method":"echo"}'],
    ['two ids, one escaped', '{"jsonrpc":"2.0","id":1,"\\u0069d":2,"method":"echo"}'],
    ['an escaped id first', '{"jsonrpc":"2.0","\\u0069d":2,"id":1,"method":"echo"}'],
    ['two methods', '{"jsonrpc":"2.0","id":1,"method":"echo","method":"never"}'],
    ['two methods, one escaped', '{"jsonrpc":"2.0","id":1,"method":"echo","m\\u0065thod":"never"}'],
    ['an id of 1e400', '{"jsonrpc":"2.0","id":1e400,"method":"echo"}'],
    ['an id of 2^53 + 1', '{"jsonrpc":"2.0","id":9007199254740993,"method":"echo"}'],
    ['an id of 129 bytes', `{"jsonrpc":"2.0","id":"${'x'.repeat(129)}","method":"echo"}`],
    ['a depth of 65', `{"jsonrpc":"2.0","id":1,"method":"echo","params":${'['.repeat(64)}${']'.repeat(64)}}`],
  ];

  it.each(refused)('are refused with -32600: %s', async (_what, text) => {
    const before = rpc.received.length;
    const client = await attack(gateway.url);
    expect((await client.call(text)).error?.code).toBe(-32600);
    expect(rpc.received.length, 'messages that reached the backend').toBe(before);
  });

  const notJson: [string, string][] = [
    ['a byte order mark', '\ufeff{"jsonrpc":"2.0","id":1,"method":"echo"}'],
    ['a trailing comma', '{"jsonrpc":"2.0","id":1,"method":"echo",}'],
    ['two values', '{"jsonrpc":"2.0","id":1,"method":"echo"}{"jsonrpc":"2.0","id":2,"method":"echo"}'],
    ['single quotes', "{'jsonrpc':'2.0','id':1,'method':'echo'}"],
    ['a comment', '{"jsonrpc":"2.0",/* */"id":1,"method":"echo"}'],
    ['NaN', '{"jsonrpc":"2.0","id":1,"method":"echo","params":[NaN]}'],
    ['a bare control character', '{"jsonrpc":"2.0","id":1,"method":"echo","params":["\n"]}'],
    ['a bad escape', '{"jsonrpc":"2.0","id":1,"method":"echo","params":["\\x41"]}'],
    ['a number with a leading zero', '{"jsonrpc":"2.0","id":01,"method":"echo"}'],
    ['a space of another kind', '{"jsonrpc":"2.0",\u00a0"id":1,"method":"echo"}'],
  ];

  it.each(notJson)('are refused with -32700: %s', async (_what, text) => {
    const before = rpc.received.length;
    const client = await attack(gateway.url);
    expect((await client.call(text)).error?.code).toBe(-32700);
    expect(rpc.received.length, 'messages that reached the backend').toBe(before);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'are not made of the name %s',
    async (name) => {
      const client = await attack(gateway.url);
      const id = JSON.stringify(name);
      const reply = await client.call(
        `{"jsonrpc":"2.0","id":${id},"method":"echo","params":{"${name}":{"polluted":1}}}`,
      );
      expect(reply.id).toBe(name);
      expect(JSON.stringify(reply.result)).toBe(`{"${name}":{"polluted":1}}`);
      expect(await client.call({ jsonrpc: '2.0', id: 2, method: name })).toMatchObject({
        id: 2,
        error: { code: -32601 },
      });
    },
  );

  it('are not made of depth: 64 pass, 60,000 are refused', async () => {
    const client = await attack(gateway.url);
    const nested = (depth: number): string =>
      `{"jsonrpc":"2.0","id":1,"method":"echo","params":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    expect(await client.call(nested(64))).toHaveProperty('result');
    expect((await client.call(nested(30_000))).error?.code).toBe(-32600);
    expect((await client.call('['.repeat(60_000))).error?.code).toBeLessThan(0);
  });
});

describe('200 clients that all use id 1', () => {
  it('get 100 replies each, every one their own', async () => {
    const clients = await Promise.all(Array.from({ length: 200 }, () => attack(gateway.url)));
    const foreign: unknown[] = [];
    await Promise.all(
      clients.map(async (client, n) => {
        for (let round = 0; round < 100; round++) {
          const params = [`client ${n}, round ${round}`];
          const reply = await client.call({ jsonrpc: '2.0', id: 1, method: 'echo', params }, 15_000);
          if (reply.id !== 1 || !isDeepStrictEqual(reply.result, params)) foreign.push({ params, reply });
        }
      }),
    );
    expect(foreign.slice(0, 3)).toEqual([]);
  });
});

/** A client that is gone after the test. */
async function attack(url: string): Promise<Client> {
  const client = await connectClient(url);
  attackers.push(client);
  return client;
}

/** Runs `act` so many times, 20 at a time. */
async function inTurns(times: number, act: () => Promise<void>): Promise<void> {
  for (let n = 0; n < times; n += 20) await Promise.all(Array.from({ length: 20 }, act));
}

function randomBytes(random: () => number, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => Math.floor(random() * 256)));
}

const IDS = ['1', '"1"', '2', '-3', '"a\\"b"', 'null', '1.5', '[]', '9007199254740991'];
const METHODS = ['"echo"', '"error"', '"whoami"', '"nope"', '7'];
const PARAMS = ['[1,2,{"id":9}]', '{"code":-1,"message":"m"}', '["\\u00e9"]', '{"a":[[[]]]}', 'null'];
const NOISE = ['{', '}', '[', ']', '"', ',', ':', '\\', '0', '-', 'e', '\u0000', 'é', ' ', '"id":1,', 'null'];

/** A JSON-RPC message, mostly correct, sometimes a batch. */
function sample(random: () => number): string {
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)]!;
  const message = (): string =>
    `{"jsonrpc":"2.0","id":${pick(IDS)},"method":${pick(METHODS)},"params":${pick(PARAMS)}}`;
  return random() < 0.1 ? `[${message()},${message()}]` : message();
}

/** `text` with up to three small damages; one time in four it stays whole. */
function mutate(random: () => number, text: string): string {
  for (let damages = Math.floor(random() * 4); damages > 0; damages--) {
    const at = Math.floor(random() * text.length);
    const noise = NOISE[Math.floor(random() * NOISE.length)]!;
    text = text.slice(0, at) + noise + text.slice(at + Math.floor(random() * 3));
  }
  return text;
}

async function untilLast(client: Client): Promise<Json> {
  for (;;) {
    const reply = await client.nextJson(10_000);
    if (reply.id === 'the last') return reply;
  }
}
