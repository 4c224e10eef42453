import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BOMB_BYTES } from './support/bad-payload.ts';
import { badMessages } from './support/bad-messages.ts';
import type { BadMessage } from './support/bad-messages.ts';
import { connectClient } from './support/client.ts';
import { startCodecBackend } from './support/codec-backend.ts';
import type { CodecBackend } from './support/codec-backend.ts';
import { connectCodecClient } from './support/codec-client.ts';
import { prose } from './support/codec-messages.ts';
import { CODECS, FLAG, compress, pack, unpack, withFlags } from './support/codec-wire.ts';
import type { CodecName } from './support/codec-wire.ts';
import { startControls } from './support/controls.ts';
import type { Controls } from './support/controls.ts';
import { eventually } from './support/eventually.ts';
import { startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { expectBalanced } from './support/ledger.ts';
import { peakResidentBytes, resetPeak, residentBytes } from './support/process-memory.ts';
import { seededRandom } from './support/random.ts';
import { OPCODE, RawClient, clientFrame } from './support/raw-client.ts';

const MIB = 1 << 20;
/** What the gateway takes from clients and from upstreams, after decoding. */
const CAP_BYTES = MIB;
const PACKERS = ['zstd', 'brotli', 'gzip'] as const;
type Packer = (typeof PACKERS)[number];
const random = seededRandom(17);
const GOOD = [40, 400_000, 3_000, 300_000, 5].map((length) => prose(length, random));

const bad = Object.fromEntries(
  await Promise.all(CODECS.map(async (codec) => [codec, await badMessages(codec, CAP_BYTES)])),
) as Record<CodecName, BadMessage[]>;
const largest = Object.fromEntries(
  PACKERS.map((codec) => [codec, withFlags(FLAG.compressed, compress(codec, Buffer.alloc(CAP_BYTES)))]),
) as Record<Packer, Buffer>;

let backends: Record<string, CodecBackend>;
let gateway: Gateway;
let controls: Controls;

beforeAll(async () => {
  const started = await Promise.all(
    PACKERS.map(async (codec) => [codec, await startBadBackend(codec)] as const),
  );
  backends = Object.fromEntries(started);
  const pools = started.flatMap(([codec, { url }]) =>
    (['session', 'request'] as const).map((mode) => ({
      name: `${mode}-${codec}`,
      pool: {
        mode,
        codec,
        upstreams: [url],
        maxMessageBytes: CAP_BYTES,
        reconnect: { baseDelayMs: 1, maxDelayMs: 5 },
      },
    })),
  );
  gateway = await startGateway({
    config: {
      listen: { maxMessageBytes: 2 * CAP_BYTES },
      heartbeat: { intervalMs: 0 },
      codec: { offer: CODECS, maxDecodedBytes: CAP_BYTES },
      routes: [{ path: '/ws', pool: 'main' }, ...pools.map(({ name }) => ({ path: `/${name}`, pool: name }))],
      pools: {
        main: { mode: 'session', upstreams: ['echo:'] },
        ...Object.fromEntries(pools.map(({ name, pool }) => [name, pool])),
      },
    },
  });
  controls = await startControls(gateway);
});

afterEach(async () => {
  expect(gateway.hasExited(), gateway.output().slice(-2_000)).toBe(false);
  expect(await controls.faults(), 'what went wrong on other connections').toEqual([]);
  await eventually(async () => {
    const page = await gateway.metrics();
    expect(page.sum('websocket_connections_total'), 'open connections').toBe(controls.count);
    expect(page.sum('websocket_errors_total', { type: 'internal' }), 'bugs').toBe(0);
  });
});

describe.each(CODECS)('a client that speaks %s', (codec) => {
  it.each(bad[codec])('is closed with $code for $what', async ({ wire, code }) => {
    const client = await attacker(codec);
    client.send(clientFrame(wire, { opcode: OPCODE.binary }));
    const { opcode } = await client.nextFrame();
    expect(opcode, 'nothing but the close frame comes back').toBe(OPCODE.close);
    expect(await client.closed).toBe(code);
  });

  it('gets replies to what it said before a bad message, if any, and to nothing after', async () => {
    for (const { wire, code } of bad[codec].filter((_, i) => i % 7 === 0)) {
      const client = await attacker(codec);
      const frames = [...GOOD.map((text) => pack(codec, text)), wire, pack(codec, 'after')];
      client.send(Buffer.concat(frames.map((frame) => clientFrame(frame, { opcode: OPCODE.binary }))));
      let replies = 0;
      for (
        let frame = await client.nextFrame();
        frame.opcode !== OPCODE.close;
        frame = await client.nextFrame()
      ) {
        const { data } = unpack(codec, { data: frame.payload, isBinary: frame.opcode === OPCODE.binary });
        expect(data.equals(Buffer.from(GOOD[replies++] ?? 'nothing'))).toBe(true);
      }
      expect(await client.closed).toBe(code);
    }
  });

  it('has its messages unpacked once, whatever they hold', async () => {
    const bombs = compress(codec, compress(codec, Buffer.alloc(codec === 'identity' ? 1_000 : BOMB_BYTES)));
    const client = await connectCodecClient(gateway.at(`/ws?codec=${codec}`), { codec });
    client.send(withFlags(FLAG.compressed, bombs));
    const { data } = await client.nextUnpacked();
    expect(data.equals(codec === 'identity' ? bombs : compress(codec, Buffer.alloc(BOMB_BYTES)))).toBe(true);
    await client.close();
  });

  it('may send flags in any frame but no message in several', async () => {
    const client = await attacker(codec);
    const wire = pack(codec, prose(3_000, random));
    client.send(clientFrame(wire.subarray(0, 1), { opcode: OPCODE.binary, fin: false }));
    client.send(clientFrame(wire.subarray(1, 30), { opcode: OPCODE.continuation, fin: false }));
    client.send(clientFrame(wire.subarray(30), { opcode: OPCODE.continuation }));
    expect([OPCODE.binary, OPCODE.text]).toContain((await client.nextFrame()).opcode);
    client.send(clientFrame('', { opcode: OPCODE.binary, fin: false }));
    client.send(clientFrame('', { opcode: OPCODE.continuation }));
    expect(await client.closed).toBe(1_007);
  });
});

describe.each(PACKERS)('an upstream that speaks %s', (codec) => {
  const own = bad[codec].map((message, index) => ({ ...message, index }));

  it.each(own)('is given up for $what, and its session ends in 1012', async ({ index, code }) => {
    const backend = backends[codec]!;
    const closed = backend.closings.length;
    const client = await connectClient(gateway.at(`/session-${codec}`));
    expect(await client.call({ method: 'echo', params: 'well' })).toEqual({ result: 'well' });
    client.send({ method: 'bad', params: index });
    expect((await client.closed).code).toBe(1_012);
    expect(client.waiting(), 'messages made of it').toBe(0);
    await eventually(() => expect(backend.closings.slice(closed)).toEqual([code]));
  });

  it('is given up for each of them, and requests end in -32002 or go to a new connection', async () => {
    const client = await connectClient(gateway.at(`/request-${codec}`));
    const params = [prose(5_000, random)];
    for (const { what, index } of own) {
      const reply = await client.call({ jsonrpc: '2.0', id: index, method: 'bad', params: index });
      expect(reply, what).toMatchObject({ id: index, error: { code: -32002 } });
      const next = await client.call({ jsonrpc: '2.0', id: 'next', method: 'echo', params });
      expect(next, `after ${what}`).toMatchObject({ id: 'next', result: params });
    }
    await client.close();
    await expectBalanced(gateway);
  });

  it('has what it said before a bad message delivered', async () => {
    const client = await connectClient(gateway.at(`/session-${codec}`));
    client.send({ method: 'good and bad' });
    for (const text of GOOD) expect((await client.nextText()) === text).toBe(true);
    expect((await client.closed).code).toBe(1_012);
    expect(client.waiting()).toBe(0);
  });

  it('has its messages unpacked once, whatever they hold', async () => {
    const client = await connectClient(gateway.at(`/session-${codec}`));
    client.send({ method: 'nested' });
    const { data } = await client.next();
    expect(data.equals(compress(codec, Buffer.alloc(BOMB_BYTES)))).toBe(true);
    await client.close();
  });
});

describe('memory', () => {
  const kinds = PACKERS.flatMap((codec) => [
    { codec, side: 'clients', path: `/ws?codec=${codec}` },
    { codec, side: 'upstreams', path: `/session-${codec}` },
  ]);

  it.each(kinds)(
    'grows by less than two messages when $side send 200 bombs of $codec at once',
    async (of) => {
      // What is measured is how much more bombs take than messages of the largest size.
      for (let round = 0; round < 2; round++) await burst(of, 'largest');
      const rounds = ['bomb', 'bomb in pieces', 'bomb', 'bomb in pieces', 'bomb'] as const;
      await expectToGrowByLess(
        2 * CAP_BYTES,
        rounds.map((what) => () => burst(of, what)),
      );
    },
  );

  it('grows by less than two messages when bombs of every kind come one after the other', async () => {
    const bombs = PACKERS.flatMap((codec) =>
      bad[codec]
        .filter(({ what }) => /bomb|window|size|piece/.test(what))
        .map(({ wire }) => ({ codec, wire: clientFrame(wire, { opcode: OPCODE.binary }) })),
    );
    const attack = async (): Promise<void> => {
      for (const { codec, wire } of bombs) {
        const client = await attacker(codec);
        client.send(wire);
        await client.closed;
      }
    };
    for (let round = 0; round < 10; round++) {
      const codec = PACKERS[round % PACKERS.length]!;
      const client = await connectCodecClient(gateway.at(`/ws?codec=${codec}`), { codec });
      await client.echo(Buffer.alloc(CAP_BYTES));
      await client.close();
    }
    await expectToGrowByLess(2 * CAP_BYTES, Array<typeof attack>(5).fill(attack));
  });

  it('is bounded by connections and the collector, not by messages, when a few bytes each become a MiB', async () => {
    const [clients, messages] = [10, 150];
    const packed = withFlags(FLAG.compressed, compress('zstd', Buffer.alloc(CAP_BYTES)));
    const frames = Array.from({ length: messages }, () => clientFrame(packed, { opcode: OPCODE.binary }));
    const flood = async (): Promise<void> => {
      const client = await attacker('zstd');
      client.send(Buffer.concat(frames));
      for (let reply = 0; reply < messages; reply++) {
        const { payload } = await client.nextFrame(20_000);
        expect(unpack('zstd', { data: payload, isBinary: true }).data).toHaveLength(CAP_BYTES);
      }
      client.destroy();
    };
    const grown = await growthDuring(() => Promise.all(Array.from({ length: clients }, flood)));
    expect(grown).toBeLessThan((clients * messages * CAP_BYTES) / 4);
  });
});

describe('10,000 bad messages over 10,000 connections', () => {
  it('leave nothing behind', async () => {
    const all = CODECS.flatMap((codec) =>
      bad[codec].filter(({ wire }) => wire.length < 20_000).map((message) => ({ ...message, codec })),
    );
    const send = async (from: number, count: number): Promise<void> => {
      for (let n = from; n < from + count; n += 50) {
        await Promise.all(
          Array.from({ length: 50 }, async (_, i) => {
            const { codec, wire, code, what } = all[(n + i) % all.length]!;
            const client = await attacker(codec, `127.0.0.${2 + ((n + i) % 200)}`);
            client.send(clientFrame(wire, { opcode: OPCODE.binary }));
            expect(await client.closed, `${codec}: ${what}`).toBe(code);
          }),
        );
      }
    };
    await send(0, 2_000);
    const before = residentBytes(gateway.pid);
    const errorsBefore = (await gateway.metrics()).sum('websocket_errors_total');
    await send(2_000, 10_000);
    expect((await gateway.metrics()).sum('websocket_errors_total') - errorsBefore).toBe(10_000);
    expect(residentBytes(gateway.pid) - before).toBeLessThan(32 * MIB);
  });
});

async function attacker(codec: CodecName, from?: string): Promise<RawClient> {
  const { client } = await RawClient.upgrade(gateway.port, {
    path: `/ws?codec=${codec}`,
    ...(from === undefined ? {} : { from }),
  });
  return client;
}

/** By how much the gateway's memory exceeded at any moment what it was before, in bytes. */
async function growthDuring(attack: () => Promise<unknown>): Promise<number> {
  const before = residentBytes(gateway.pid);
  resetPeak(gateway.pid);
  await attack();
  return peakResidentBytes(gateway.pid) - before;
}

/** Attacks that take memory take it in every round; rounds in which the collector came late say nothing. Two that stay below it are enough. */
async function expectToGrowByLess(
  limitBytes: number,
  attacks: readonly (() => Promise<unknown>)[],
): Promise<void> {
  const grown: number[] = [];
  const below = (): number => grown.filter((bytes) => bytes < limitBytes).length;
  for (const attack of attacks) if (below() < 2) grown.push(await growthDuring(attack));
  expect(below(), `rounds of ${grown.join(', ')} bytes that stayed below ${limitBytes}`).toBe(2);
}

type BurstMessage = 'largest' | 'bomb' | 'bomb in pieces';

/** What 200 connections send at the same time: the largest message there may be, or a bomb. */
function burstMessage(codec: Packer, what: BurstMessage): Buffer {
  if (what === 'largest') return largest[codec];
  return bad[codec].find((message) => message.what === `a ${what}`)!.wire;
}

/** 200 connections that at the same time bring one such message each. */
async function burst(
  { codec, side, path }: { codec: Packer; side: string; path: string },
  what: BurstMessage,
): Promise<void> {
  const packed = clientFrame(burstMessage(codec, what), { opcode: OPCODE.binary });
  const asked = clientFrame(JSON.stringify({ method: 'burst', params: what }));
  const clients = await Promise.all(
    Array.from({ length: 200 }, async () => (await RawClient.upgrade(gateway.port, { path })).client),
  );
  await Promise.all(
    clients.map(async (client) => {
      client.send(side === 'clients' ? packed : asked);
      const { opcode } = await client.nextFrame(20_000);
      if (what === 'largest') client.destroy();
      expect(opcode).toBe(what === 'largest' ? OPCODE.binary : OPCODE.close);
      if (what !== 'largest') expect(await client.closed).toBe(side === 'clients' ? 1_009 : 1_012);
    }),
  );
}

/** Answers JSON-RPC: `echo`, and what a hostile upstream says. */
async function startBadBackend(codec: Packer): Promise<CodecBackend> {
  const nested = withFlags(FLAG.compressed, compress(codec, compress(codec, Buffer.alloc(BOMB_BYTES))));
  return startCodecBackend(codec, (socket, { data }) => {
    const { method, params, ...envelope } = JSON.parse(data.toString()) as {
      method: string;
      params: unknown;
    };
    if (method === 'echo') socket.send(pack(codec, JSON.stringify({ ...envelope, result: params })));
    if (method === 'bad') socket.send(bad[codec][params as number]!.wire);
    if (method === 'burst') socket.send(burstMessage(codec, params as BurstMessage));
    if (method === 'nested') socket.send(nested);
    if (method !== 'good and bad') return;
    for (const text of GOOD) socket.send(pack(codec, text));
    socket.send(bad[codec][0]!.wire);
    socket.send(pack(codec, 'after'));
  });
}
