import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client, Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import type { JsonRpcBackend } from './support/json-rpc-backend.ts';

const REQUEST_TIMEOUT_MS = 500;
const QUEUE_TIMEOUT_MS = 300;
const MAX_IN_FLIGHT_PER_CLIENT = 120;

let backend: JsonRpcBackend;
let lost: JsonRpcBackend;
let narrow: JsonRpcBackend;
let gateway: Gateway;

beforeAll(async () => {
  [backend, lost, narrow] = await Promise.all([
    startJsonRpcBackend(),
    startJsonRpcBackend(),
    startJsonRpcBackend(),
  ]);
  const reconnect = { baseDelayMs: 20, maxDelayMs: 100 };
  gateway = await startGateway({
    config: {
      routes: [
        { path: '/ws', pool: 'main' },
        { path: '/lost', pool: 'lost' },
        { path: '/narrow', pool: 'narrow' },
      ],
      pools: {
        main: {
          mode: 'request',
          upstreams: [backend.url],
          maxConnections: 2,
          requestTimeoutMs: REQUEST_TIMEOUT_MS,
          maxInFlightPerClient: MAX_IN_FLIGHT_PER_CLIENT,
          statefulMethods: ['login'],
          reconnect,
        },
        lost: {
          mode: 'request',
          upstreams: [lost.url],
          maxConnections: 2,
          queue: { timeoutMs: QUEUE_TIMEOUT_MS },
          reconnect,
        },
        narrow: {
          mode: 'request',
          upstreams: [narrow.url],
          maxConnections: 1,
          maxInFlightPerConnection: 1,
          queue: { maxSize: 2, timeoutMs: QUEUE_TIMEOUT_MS },
          reconnect,
        },
      },
    },
  });
});

describe('ids', () => {
  const ids = [
    '1',
    '"1"',
    '0',
    '-7',
    '9007199254740991',
    '-9007199254740991',
    '""',
    '"a\\"b"',
    '"\\u00e9\\ud83d\\ude00"',
  ];

  it.each([...ids, `"${'x'.repeat(128)}"`])('come back as they were sent: %s', async (id) => {
    const client = await connectClient(gateway.url);
    client.send(`{"jsonrpc":"2.0","id":${id},"method":"echo","params":["p"]}`);
    const reply = await client.nextText();
    expect((JSON.parse(reply) as Json).id).toStrictEqual(JSON.parse(id));
    expect(reply, 'spelt as JSON.stringify would').toContain(`"id":${JSON.stringify(JSON.parse(id))}`);
    expect((JSON.parse(reply) as Json).result).toEqual(['p']);
  });

  it('of the same digits but another type are two requests', async () => {
    const client = await connectClient(gateway.url);
    client.send({ jsonrpc: '2.0', id: 1, method: 'echo', params: ['number'] });
    client.send({ jsonrpc: '2.0', id: '1', method: 'echo', params: ['string'] });
    const replies = [await client.nextJson(), await client.nextJson()];
    expect(replies.find((reply) => reply.id === 1)?.result).toEqual(['number']);
    expect(replies.find((reply) => reply.id === '1')?.result).toEqual(['string']);
  });

  it('are found wherever they stand in the message, and nowhere else', async () => {
    const client = await connectClient(gateway.url);
    const params = { id: 99, method: 'error', nested: [{ id: 'inner' }], text: '"id":5,' };
    const text = ` { "params" : ${JSON.stringify(params)} ,\n "method":"echo", "jsonrpc" : "2.0" , "id" : 7 } `;
    expect(await client.call(text)).toMatchObject({ id: 7, result: params });
  });

  it.each(['1.5', '9007199254740993', 'true', '{}', '[]', `"${'x'.repeat(129)}"`, '1e400'])(
    'are refused with -32600 when they are %s',
    async (id) => {
      const client = await connectClient(gateway.url);
      const reply = await client.call(`{"jsonrpc":"2.0","id":${id},"method":"echo"}`);
      expect(reply.error?.code).toBe(-32600);
      expect(await alive(client)).toBe(true);
    },
  );

  it('are refused with -32600 while the same one is in flight, which goes on undisturbed', async () => {
    const client = await connectClient(gateway.url);
    client.send({ jsonrpc: '2.0', id: 5, method: 'late', params: { ms: 200, first: true } });
    const refused = await client.call({ jsonrpc: '2.0', id: 5, method: 'echo', params: ['second'] });
    expect(refused).toMatchObject({ id: 5, error: { code: -32600 } });
    expect(await client.nextJson()).toMatchObject({ id: 5, result: { first: true } });
    expect(
      await client.call({ jsonrpc: '2.0', id: 5, method: 'echo', params: ['free again'] }),
    ).toMatchObject({
      id: 5,
      result: ['free again'],
    });
  });
});

describe('messages', () => {
  it.each(['', 'hello', '{', '{"jsonrpc":"2.0","id":1,"method":"echo"', '{"id":1}}', '{"a":01}', '\u0000'])(
    'that are not JSON are answered -32700: %j',
    async (text) => {
      const client = await connectClient(gateway.url);
      expect(await client.call(text)).toMatchObject({ jsonrpc: '2.0', id: null, error: { code: -32700 } });
      expect(await alive(client)).toBe(true);
    },
  );

  it.each([
    '1',
    '"x"',
    'null',
    'true',
    '{}',
    '{"jsonrpc":"2.0","id":1}',
    '{"jsonrpc":"2.0","id":1,"method":7}',
  ])('that are JSON but no JSON-RPC are answered -32600: %s', async (text) => {
    const client = await connectClient(gateway.url);
    expect((await client.call(text)).error?.code).toBe(-32600);
    expect(await alive(client)).toBe(true);
  });

  it('without an id are forwarded, and get no reply', async () => {
    const client = await connectClient(gateway.url);
    const params = `notified ${Math.random()}`;
    client.send({ jsonrpc: '2.0', method: 'note', params: [params] });
    await eventually(() => expect(backend.received.filter((text) => text.includes(params))).toHaveLength(1));
    expect(await alive(client), 'the next message is the next reply').toBe(true);
    expect(client.waiting()).toBe(0);
  });

  it('reach the backend with nothing but the id changed', async () => {
    const client = await connectClient(gateway.url);
    const rest = '"method" :"echo","params":{"big":12345678901234567890,"u":"\\u0041","spaced": [1,  2]}}';
    client.send(`{"jsonrpc":"2.0","id":"only this",${rest}`);
    await client.next();
    expect(backend.received.at(-1)).toMatch(/^\{"jsonrpc":"2\.0","id":\d+,/);
    expect(backend.received.at(-1)?.endsWith(rest)).toBe(true);
  });

  it('reach the backend in the order each client sent them', async () => {
    const client = await connectClient(gateway.url);
    const mark = `order-${Math.random()}`;
    const count = MAX_IN_FLIGHT_PER_CLIENT;
    for (let id = 0; id < count; id++)
      client.send({ jsonrpc: '2.0', id, method: 'echo', params: [mark, id] });
    for (let id = 0; id < count; id++) await client.next();
    const seen = backend.received.filter((text) => text.includes(mark));
    const order = seen.map((text) => (JSON.parse(text) as { params: [string, number] }).params[1]);
    expect(order).toEqual(Array.from({ length: count }, (_, i) => i));
  });

  it('beyond maxInFlightPerClient are answered -32003, the others as ever', async () => {
    const client = await connectClient(gateway.url);
    const count = MAX_IN_FLIGHT_PER_CLIENT + 10;
    for (let id = 0; id < count; id++)
      client.send({ jsonrpc: '2.0', id, method: 'late', params: { ms: 300 } });
    const replies: Json[] = [];
    while (replies.length < count) replies.push(await client.nextJson());
    const refused = replies.filter((reply) => reply.error !== undefined);
    expect(refused.map((reply) => reply.error?.code)).toEqual(Array.from({ length: 10 }, () => -32003));
    expect(refused.map((reply) => reply.id)).toEqual(
      Array.from({ length: 10 }, (_, i) => MAX_IN_FLIGHT_PER_CLIENT + i),
    );
  });

  it('of 500 KB pass both ways', async () => {
    const client = await connectClient(gateway.url);
    const params = ['x'.repeat(500_000)];
    expect((await client.call({ jsonrpc: '2.0', id: 1, method: 'echo', params })).result).toEqual(params);
  });

  it('in binary frames are understood too', async () => {
    const client = await connectClient(gateway.url);
    client.send(Buffer.from('{"jsonrpc":"2.0","id":3,"method":"echo","params":["bytes"]}'));
    expect(await client.nextJson()).toMatchObject({ id: 3, result: ['bytes'] });
  });
});

describe('a batch', () => {
  it('is answered as one array, whatever the order of the replies', async () => {
    const client = await connectClient(gateway.url);
    client.send([
      { jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 50 } },
      { jsonrpc: '2.0', method: 'note' },
      { jsonrpc: '2.0', id: '1', method: 'echo', params: ['two'] },
      { jsonrpc: '2.0', id: 'e', method: 'error', params: { code: -5, message: 'three' } },
      7,
    ]);
    const replies = (await client.nextJson()) as Json[];
    expect(replies).toHaveLength(4);
    expect(replies.find((reply) => reply.id === 1)?.result).toEqual({ ms: 50 });
    expect(replies.find((reply) => reply.id === '1')?.result).toEqual(['two']);
    expect(replies.find((reply) => reply.id === 'e')?.error).toEqual({ code: -5, message: 'three' });
    expect(replies.find((reply) => reply.id === null)?.error?.code).toBe(-32600);
    expect(client.waiting()).toBe(0);
  });

  it('of notifications alone gets no reply', async () => {
    const client = await connectClient(gateway.url);
    client.send([
      { jsonrpc: '2.0', method: 'note' },
      { jsonrpc: '2.0', method: 'note' },
    ]);
    expect(await alive(client)).toBe(true);
  });

  it('that is empty is answered by one -32600', async () => {
    const client = await connectClient(gateway.url);
    expect(await client.call('[]')).toMatchObject({ id: null, error: { code: -32600 } });
  });

  it('holds an error for the element that got no answer in time', async () => {
    const client = await connectClient(gateway.url);
    client.send([
      { jsonrpc: '2.0', id: 1, method: 'never' },
      { jsonrpc: '2.0', id: 2, method: 'echo', params: ['in time'] },
    ]);
    const replies = (await client.nextJson()) as Json[];
    expect(replies.find((reply) => reply.id === 1)?.error?.code).toBe(-32001);
    expect(replies.find((reply) => reply.id === 2)?.result).toEqual(['in time']);
  });
});

describe('the backend', () => {
  it('passes its errors to the client that asked', async () => {
    const client = await connectClient(gateway.url);
    const error = { code: -32050, message: 'no such "thing"', data: { id: 4, detail: [null] } };
    expect(await client.call({ jsonrpc: '2.0', id: 'e', method: 'error', params: error })).toEqual({
      jsonrpc: '2.0',
      id: 'e',
      error,
    });
  });

  it('that does not answer in time costs an error -32001 at the timeout, and its late reply is dropped', async () => {
    const client = await connectClient(gateway.url);
    const startMs = performance.now();
    const reply = await client.call({ jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 800 } });
    const waitedMs = performance.now() - startMs;
    expect(reply).toMatchObject({ id: 1, error: { code: -32001 } });
    expect(waitedMs).toBeGreaterThan(REQUEST_TIMEOUT_MS - 250);
    expect(waitedMs).toBeLessThan(REQUEST_TIMEOUT_MS + 250);
    await sleep(450);
    expect(client.waiting(), 'the late reply').toBe(0);
    expect(await alive(client)).toBe(true);
  });

  it('that replies twice is heard once', async () => {
    const client = await connectClient(gateway.url);
    expect(await client.call({ jsonrpc: '2.0', id: 1, method: 'dup', params: ['first'] })).toMatchObject({
      result: ['first'],
    });
    expect(await alive(client)).toBe(true);
    expect(client.waiting()).toBe(0);
  });

  it('that speaks unasked is never broadcast', async () => {
    const clients = await Promise.all(Array.from({ length: 5 }, () => connectClient(gateway.url)));
    const [asking] = clients as [Client];
    for (const client of clients) await alive(client);
    const reply = await asking.call({ jsonrpc: '2.0', id: 1, method: 'unsolicited', params: ['mine'] });
    expect(reply).toMatchObject({ id: 1, result: ['mine'] });
    for (const client of clients) expect(await alive(client)).toBe(true);
    expect(clients.map((client) => client.waiting())).toEqual([0, 0, 0, 0, 0]);
  });

  it('never sees a method that is configured as stateful: the error names session mode', async () => {
    const client = await connectClient(gateway.url);
    const reply = await client.call({ jsonrpc: '2.0', id: 1, method: 'login', params: { user: 'x' } });
    expect(reply.id).toBe(1);
    expect(reply.error?.message).toMatch(/session/);
    expect(backend.received.filter((text) => text.includes('"login"'))).toEqual([]);
  });
});

describe('a lost upstream', () => {
  it('ends what was written to it with -32002, and nothing else', async () => {
    const waiting = await Promise.all(Array.from({ length: 5 }, () => connectClient(gateway.at('/lost'))));
    for (const client of waiting) client.send({ jsonrpc: '2.0', id: 'x', method: 'never' });
    await eventually(() => expect(lost.received.filter((text) => text.includes('never'))).toHaveLength(5));
    lost.kill();
    for (const client of waiting) {
      const reply = await client.nextJson(2_000);
      expect(reply).toMatchObject({ id: 'x', error: { code: -32002 } });
      expect(reply.error?.message).toMatch(/unknown/);
    }
  });

  it('is dialled again for the clients that stayed', async () => {
    const client = await connectClient(gateway.at('/lost'));
    expect(await alive(client)).toBe(true);
    await lost.stop();
    await eventually(async () => expect((await client.call(echo('down'), 2_000)).error?.code).toBe(-32000));
    await lost.start();
    await eventually(async () => expect((await client.call(echo('up'), 2_000)).result).toEqual(['up']));
  });
});

describe('a queue', () => {
  it('answers -32003 when it is full, and when a request waited too long', async () => {
    const client = await connectClient(gateway.at('/narrow'));
    client.send({ jsonrpc: '2.0', id: 'busy', method: 'late', params: { ms: 700 } });
    await eventually(() => expect(narrow.received).toHaveLength(1));
    const others = await Promise.all(Array.from({ length: 4 }, () => connectClient(gateway.at('/narrow'))));
    const startMs = performance.now();
    const ends = await Promise.all(
      others.map(async (other) => ({
        reply: await other.call(echo('queued')),
        atMs: performance.now() - startMs,
      })),
    );
    expect(ends.map(({ reply }) => reply.error?.code)).toEqual([-32003, -32003, -32003, -32003]);
    const waitedMs = ends.map(({ atMs }) => atMs).sort((a, b) => a - b);
    expect(waitedMs[1], 'two found the queue full').toBeLessThan(QUEUE_TIMEOUT_MS - 50);
    expect(waitedMs[2], 'two waited').toBeGreaterThan(QUEUE_TIMEOUT_MS - 50);
    expect(waitedMs[3]).toBeLessThan(QUEUE_TIMEOUT_MS + 250);
    expect(await client.nextJson()).toMatchObject({ id: 'busy', result: { ms: 700 } });
    expect(narrow.received, 'nothing that was refused reached the backend').toHaveLength(1);
  });

  it('serves those that waited when there is room again, in turn', async () => {
    const first = await connectClient(gateway.at('/narrow'));
    first.send({ jsonrpc: '2.0', id: 1, method: 'late', params: { ms: 100 } });
    await sleep(20);
    const second = await connectClient(gateway.at('/narrow'));
    expect(await second.call(echo('waited'))).toMatchObject({ result: ['waited'] });
  });
});

function echo(text: string): object {
  return { jsonrpc: '2.0', id: 'echo', method: 'echo', params: [text] };
}

/** Whether a request of its own is the very next thing that `client` hears of. */
async function alive(client: Client): Promise<boolean> {
  const text = `alive ${Math.random()}`;
  const reply = await client.call({ jsonrpc: '2.0', id: text, method: 'echo', params: [text] });
  return reply.id === text && isDeepStrictEqual(reply.result, [text]);
}
