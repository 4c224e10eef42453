import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import type { WebSocket } from 'ws';
import { beforeAll, describe, expect, it } from 'vitest';
import { startBackend } from './support/backend.ts';
import type { Backend } from './support/backend.ts';
import type { Json, Received } from './support/client.ts';
import { connectCodecClient } from './support/codec-client.ts';
import type { CodecClient } from './support/codec-client.ts';
import { CODECS, FLAG, compress, dictionaryIdOf, pack, unpack, withFlags } from './support/codec-wire.ts';
import type { CodecName } from './support/codec-wire.ts';
import { noise, prose } from './support/codec-messages.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import type { JsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced } from './support/ledger.ts';
import { peakResidentBytes, resetPeak, residentBytes } from './support/process-memory.ts';
import { seededRandom } from './support/random.ts';
import { OPCODE, RawClient, askUpgrade, clientFrame } from './support/raw-client.ts';
import { startSessionBackend } from './support/session-backend.ts';
import type { SessionBackend } from './support/session-backend.ts';

const MIB = 1 << 20;
const MIN_BYTES = 1_024;
/** Small and large ones in turn: those from some 16 KB on are packed in the thread pool, most others at once. */
const MIXED_SIZES = [10, 300_000, 50, 2_000, 1_000_000, 1, 70_000, 20_000, 500, 400_000, 0, 3];
const FLOOD_BYTES = 200 * MIB;

const random = seededRandom(3);
let echo: SessionBackend;
let rpc: JsonRpcBackend;
let talker: Talker;
let gateway: Gateway;

beforeAll(async () => {
  const handleProtocols = (offered: Set<string>): string | false => (offered.has('app') ? 'app' : false);
  echo = await startSessionBackend({ handleProtocols });
  rpc = await startJsonRpcBackend({ shuffleEveryMs: 2 });
  talker = await startTalker();
  gateway = await startGateway({
    config: {
      listen: { maxMessageBytes: 4 * MIB, maxBackpressureBytes: 32 * MIB },
      codec: { offer: CODECS, minBytes: MIN_BYTES, maxDecodedBytes: 4 * MIB, maxPendingBytes: 64 * MIB },
      routes: [
        { path: '/ws', pool: 'main' },
        { path: '/rpc', pool: 'rpc' },
        { path: '/echo', pool: 'echo' },
        { path: '/talker', pool: 'talker' },
      ],
      pools: {
        main: { mode: 'session', upstreams: [echo.url] },
        rpc: { mode: 'request', upstreams: [rpc.url], maxConnections: 2 },
        echo: { mode: 'session', upstreams: ['echo:'] },
        talker: { mode: 'session', upstreams: [talker.url] },
      },
    },
  });
});

describe.each(CODECS)('%s', (codec) => {
  const at = (path: string): string => gateway.at(`${path}?codec=${codec}`);

  it('is chosen by ?codec= and named in the answer', async () => {
    const { status, headers } = await askUpgrade(gateway.port, { path: `/ws?codec=${codec}` });
    expect(status).toBe(101);
    expect(headers['wsluice-codec']).toBe(codec);
    expect(headers['sec-websocket-protocol']).toBeUndefined();
  });

  it('is chosen by subprotocol, which is answered when the upstream chose none', async () => {
    const protocols = [`wsluice.${codec}`, 'unheard-of'];
    const client = await connectCodecClient(gateway.url, { codec, protocols });
    expect(client.socket.protocol).toBe(`wsluice.${codec}`);
    const text = prose(5_000, random);
    expect(await client.echo(text)).toMatchObject({
      data: Buffer.from(text),
      flags: codecFlags(codec, true),
    });
    expect(echo.upgrades.at(-1)!.headers['sec-websocket-protocol']).toBe('unheard-of');
  });

  it.each(['url', 'subprotocol'])('leaves the subprotocol to the application, asked by %s', async (by) => {
    const offered = by === 'url' ? 'app' : `wsluice.${codec}, app`;
    const { headers } = await askUpgrade(gateway.port, {
      path: by === 'url' ? `/ws?codec=${codec}` : '/ws',
      headers: { 'Sec-WebSocket-Protocol': offered },
    });
    expect(headers['sec-websocket-protocol']).toBe('app');
    expect(headers['wsluice-codec']).toBe(codec);
    const upgrade = echo.upgrades.at(-1)!;
    expect([upgrade.headers['sec-websocket-protocol'], upgrade.protocol]).toEqual(['app', 'app']);
  });

  it('keeps its own parameters from the upstream, and no others', async () => {
    await askUpgrade(gateway.port, { path: `/ws?a=1&codec=${codec}&b=%20%26&dictionary=0&codecs=x&c` });
    expect(echo.upgrades.at(-1)!.path).toMatch(/\?a=1&b=%20%26&codecs=x&c$/);
  });

  it.each(['text', 'binary'])('carries %s of all sizes as it is, and smaller on the wire', async (kind) => {
    const client = await connectCodecClient(at('/ws'), { codec });
    for (const size of [0, 1, 100, MIN_BYTES - 1, MIN_BYTES, 5_000, 17_000, 70_000, 300_000, 1_500_000]) {
      const text = prose(size, random).replaceAll('é', 'e');
      const data = kind === 'text' ? text : Buffer.from(text);
      const { data: echoed, isBinary, flags, wireBytes } = await client.echo(data);
      expect(echoed.equals(Buffer.from(data)), `${echoed.length} of ${size} bytes`).toBe(true);
      expect(isBinary).toBe(kind === 'binary');
      if (size < MIN_BYTES) expect(flags).toBe(kind === 'text' ? undefined : 0);
      else expect(flags).toBe(codecFlags(codec, kind === 'text'));
      if (size >= MIN_BYTES && codec !== 'identity') expect(wireBytes).toBeLessThan(size / 2);
    }
  });

  it('takes a message in every form, and tells the upstream its kind', async () => {
    const client = await connectCodecClient(at('/ws'), { codec });
    const plain = Buffer.from('in every form');
    const forms: [string | Buffer, boolean][] = [
      [plain.toString(), false],
      [withFlags(0, plain), true],
      [withFlags(FLAG.text, plain), false],
      [withFlags(FLAG.compressed, compress(codec, plain)), true],
      [withFlags(FLAG.compressed | FLAG.text, compress(codec, plain)), false],
    ];
    for (const [wire, isBinary] of forms) {
      client.send(wire);
      expect(await client.nextUnpacked()).toMatchObject({ data: plain, isBinary });
    }
  });

  it('sends what it cannot make smaller as it is', async () => {
    const client = await connectCodecClient(at('/ws'), { codec });
    for (const size of [MIN_BYTES, 10_000, 100_000, 700_000]) {
      const bytes = noise(size, random);
      const { data, flags, wireBytes } = await client.echo(bytes);
      expect(data.equals(bytes)).toBe(true);
      expect([flags, wireBytes]).toEqual([0, size + 1]);
    }
  });

  it.each(['/ws', '/echo'])('keeps the order of small and large messages both ways on %s', async (path) => {
    const client = await connectCodecClient(at(path), { codec });
    const sent = mixedMessages(2);
    for (const message of sent) client.sendPacked(message);
    for (const message of sent) expectSame(await client.nextUnpacked(20_000), message);
  });

  it('carries JSON-RPC: single calls, batches and large results', async () => {
    const client = await connectCodecClient(at('/rpc'), { codec });
    const sizes = [0, 10, 5_000, 600_000, 20, 40_000];
    const params = sizes.map((size) => [prose(size, random)]);
    const calls = params.map((of, id) => ({ jsonrpc: '2.0', id, method: 'echo', params: of }));
    for (const call of calls) client.sendPacked(JSON.stringify(call));
    const replies = new Map<unknown, unknown>();
    while (replies.size < calls.length) {
      const { id, result } = await nextJson(client);
      replies.set(id, result);
    }
    expect(params.map((_, id) => replies.get(id))).toEqual(params);
    const batch = await client.echo(JSON.stringify(calls), 10_000);
    expect(batch).toMatchObject({ isBinary: false, flags: codecFlags(codec, true) });
    const results = (JSON.parse(batch.data.toString()) as Json[]).map(({ result }) => result);
    expect(new Set(results.map(String))).toEqual(new Set(params.map(String)));
    await expectBalanced(gateway);
  });

  it('counts the bytes before and after it', async () => {
    const client = await connectCodecClient(at('/ws'), { codec });
    const read = async (): Promise<number[]> => {
      const page = await gateway.metrics();
      const of = (direction: string, stage: string): number =>
        page.sum('wsluice_codec_bytes_total', { codec, direction, stage });
      return [of('decode', 'packed'), of('decode', 'plain'), of('encode', 'plain'), of('encode', 'packed')];
    };
    const before = await read();
    const expected = [0, 0, 0, 0];
    for (const size of [10, 2_000, 50_000, 300_000]) {
      const message = Buffer.from(prose(size, random));
      const { wireBytes } = await client.echo(message);
      [pack(codec, message).length, message.length, message.length, wireBytes].forEach((n, i) => {
        expected[i]! += n;
      });
    }
    const after = await read();
    expect(after.map((n, i) => n - before[i]!)).toEqual(expected);
  });

  it('hands on what a client said right before its close frame', async () => {
    const client = await connectCodecClient(at('/talker'), { codec });
    await eventually(() => expect(talker.heard.at(-1)?.closed).toBe(false));
    const heard = talker.heard.at(-1)!;
    const sent = mixedMessages(1).filter((message) => typeof message !== 'string');
    for (const message of sent) client.sendPacked(message);
    await client.close(4_001, 'done');
    await eventually(() => expect(heard.closed).toBe(4_001));
    expect(heard.messages).toHaveLength(sent.length);
    heard.messages.forEach((message, i) => expectSame(message, sent[i]!));
  });

  it('delivers what the upstream said right before its close frame, and then its code', async () => {
    const client = await connectCodecClient(at('/talker'), { codec });
    const messages = mixedMessages(1);
    talker.willSay = messages;
    client.send('say it and close with 4321');
    for (const message of messages) expectSame(await client.nextUnpacked(10_000), message);
    expect((await client.closed).code).toBe(4_321);
  });
});

describe('a codec that cannot be had', () => {
  it.each(['lz4', '', 'ZSTD', 'zstd,gzip', '__proto__'])(
    'is refused with 400 and the known ones: %j',
    async (name) => {
      const { status, body } = await askUpgrade(gateway.port, { path: `/ws?codec=${name}` });
      expect(status).toBe(400);
      expect(body).toContain('zstd, brotli, gzip, identity');
    },
  );

  it.each(['wsluice.lz4', 'wsluice.', 'wsluice.mux.v2, app'])(
    'is refused as the subprotocol %s',
    async (offered) => {
      const headers = { 'Sec-WebSocket-Protocol': offered };
      const { status, body } = await askUpgrade(gateway.port, { headers });
      expect(status).toBe(400);
      expect(body).toContain('zstd, brotli, gzip, identity');
    },
  );

  it('is refused when it is not offered, and so is every one when none is', async () => {
    const some = await startGateway({ config: { codec: { offer: ['gzip'] } } });
    const none = await startGateway({ config: { codec: { offer: [] } } });
    for (const codec of ['zstd', 'brotli', 'identity']) {
      const { status, body } = await askUpgrade(some.port, { path: `/ws?codec=${codec}` });
      expect([status, body]).toEqual([400, expect.stringMatching(/known.*: gzip|known.* gzip/)]);
    }
    expect(await askUpgrade(some.port, { path: '/ws?codec=gzip' })).toMatchObject({ status: 101 });
    expect(await askUpgrade(none.port, { path: '/ws?codec=gzip' })).toMatchObject({ status: 400 });
    expect(await askUpgrade(none.port)).toMatchObject({ status: 101 });
  });

  it('is passed over where others of the offered subprotocols are known: the gateway takes the one it likes best', async () => {
    const headers = { 'Sec-WebSocket-Protocol': 'wsluice.lz4, wsluice.gzip, wsluice.brotli' };
    expect((await askUpgrade(gateway.port, { headers })).headers).toMatchObject({
      'wsluice-codec': 'brotli',
      'sec-websocket-protocol': 'wsluice.brotli',
    });
  });
});

describe('many clients at once', () => {
  it('get what is theirs, in their order: 50 clients of all codecs', async () => {
    // All come before one talks: while this process packs, its back end lets nobody in.
    const clients = await Promise.all(
      Array.from({ length: 50 }, (_, n) => CODECS[n % CODECS.length]!).map((codec) =>
        connectCodecClient(gateway.at(`/ws?codec=${codec}`), { codec }),
      ),
    );
    const talk = async (client: CodecClient, n: number): Promise<void> => {
      const own = seededRandom(1_000 + n);
      const sizes = Array.from({ length: 15 }, () => Math.floor(own() ** 4 * 400_000));
      const sent = sizes.map((size, i) => `client ${n}, message ${i}: ${prose(size, own)}`);
      for (const text of sent) client.sendPacked(text);
      for (const text of sent) expectSame(await client.nextUnpacked(25_000), text);
    };
    await Promise.all(clients.map(talk));
  });

  it('get one message that goes to all of them, each in its own codec', async () => {
    const clients = await Promise.all(
      CODECS.flatMap((codec) => [codec, codec, codec]).map((codec) =>
        connectCodecClient(gateway.at(`/talker?codec=${codec}`), { codec }),
      ),
    );
    talker.willSay = mixedMessages(1);
    for (const client of clients) client.send('say it');
    await Promise.all(
      clients.map(async (client) => {
        for (const message of talker.willSay) expectSame(await client.nextUnpacked(20_000), message);
      }),
    );
  });
});

describe('a slow reader', () => {
  it.each([
    { bytes: 8_000, what: 'small messages' },
    { bytes: 400_000, what: 'messages of the thread pool' },
  ])('of $what is closed with 1013, and memory stays bounded', async ({ bytes }) => {
    const strict = await startGateway({ args: ['--upstream', talker.url] });
    const honest = await connectCodecClient(strict.at('/ws?codec=zstd'), { codec: 'zstd' });
    // What it costs to carry such messages at all.
    talker.willSay = [noise(bytes, random), prose(bytes, random)];
    honest.send('say it');
    for (const message of talker.willSay) expectSame(await honest.nextUnpacked(), message);
    const slow = await connectCodecClient(strict.at('/ws?codec=zstd'), { codec: 'zstd' });
    const before = residentBytes(strict.pid);
    resetPeak(strict.pid);
    slow.socket.pause();
    const few = Array.from({ length: 8 }, () => noise(bytes, random));
    talker.willSay = Array.from({ length: Math.ceil(FLOOD_BYTES / bytes) }, (_, i) => few[i % few.length]!);
    slow.send('say it');
    await eventually(async () =>
      expect((await strict.metrics()).sum('websocket_errors_total'), 'clients given up').toBe(1),
    );
    // 1 MiB for the socket, 4 that wait for the thread pool, and what the collector has not come round to yet.
    expect(peakResidentBytes(strict.pid) - before).toBeLessThan(FLOOD_BYTES / 4);
    slow.socket.resume();
    expect((await slow.closed).code).toBe(1_013);
    expectSame(await honest.echo('still served'), 'still served');
  });
});

describe('drain', () => {
  it.each(['session', 'request'])('loses no message that is in the thread pool, in %s mode', async (mode) => {
    const slowest = { offer: ['brotli'], brotli: { quality: 11 } };
    const draining = await startGateway({
      config: {
        codec: slowest,
        pools: { main: { mode, upstreams: [mode === 'session' ? talker.url : rpc.url] } },
      },
    });
    const client = await connectCodecClient(draining.at('/ws?codec=brotli'), { codec: 'brotli' });
    const text = prose(900_000, random);
    talker.willSay = [text, 'and this'];
    if (mode === 'session') client.send('say it');
    else client.sendPacked(JSON.stringify({ jsonrpc: '2.0', id: 7, method: 'echo', params: [text] }));
    // The upstream has said it all; the gateway takes more than a second to pack it.
    const answered = mode === 'session' ? 'websocket_latency_seconds_count' : 'wsluice_requests_ended_total';
    await eventually(async () => expect((await draining.metrics()).sum(answered)).toBe(1));
    expect(client.waiting()).toBe(0);
    draining.signal('SIGTERM');
    if (mode === 'request') expect((await nextJson(client)).result).toEqual([text]);
    else for (const message of talker.willSay) expectSame(await client.nextUnpacked(20_000), message);
    expect((await client.closed).code).toBe(1_001);
    expect(await draining.exited).toBe(0);
  });
});

describe('profiles', () => {
  const { zstdCompressSync, brotliCompressSync, gzipSync, constants } = zlib;
  const text = Buffer.from(prose(9_000, random));
  const zstd1 = zstdCompressSync(text, { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const brotli4 = brotliCompressSync(text, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_SIZE_HINT]: text.length },
  });
  const profiles = [
    { profile: 'latency', codec: 'zstd', minBytes: 2_048, packed: zstd1 },
    { profile: 'bandwidth', codec: 'brotli', minBytes: 512, packed: brotli4 },
    { profile: 'balanced', codec: 'gzip', minBytes: 1_024, packed: gzipSync(text, { level: 6 }) },
    { profile: 'cpu', codec: 'zstd', minBytes: 5_120, packed: zstd1 },
  ] as const;

  it.each(profiles)('$profile packs with its level from $minBytes bytes on', async (expected) => {
    const { profile, codec, minBytes, packed } = expected;
    const profiled = await startGateway({ args: ['--profile', profile] });
    const { body } = await askUpgrade(profiled.port, { path: '/ws?codec=none' });
    expect(body, 'its own codec comes first').toContain(`are ${codec}, `);
    const client = await connectCodecClient(profiled.at(`/ws?codec=${codec}`), { codec });
    const flagsOf = async (size: number): Promise<number | undefined> =>
      (await client.echo(text.toString().slice(0, size).replaceAll('é', 'e').padEnd(size, '.'))).flags;
    expect(await flagsOf(minBytes - 1)).toBeUndefined();
    expect(await flagsOf(minBytes)).toBe(FLAG.compressed | FLAG.text);
    const { wireBytes } = await client.echo(text);
    expect(Math.abs(wireBytes - packed.length), 'bytes more or less than by its level').toBeLessThan(16);
  });
});

describe('dictionaries', () => {
  const file = (name: string): string => join(CHECKOUT, 'codec/fixtures', name);
  const newest = { id: 1001, bytes: readFileSync(file('json-rpc.dict')) };
  const old = { id: 1002, bytes: readFileSync(file('events.dict')) };
  const call = JSON.stringify({
    jsonrpc: '2.0',
    id: 7,
    method: 'tools/call',
    params: ['search', 'x', 'search'],
  });
  /** Worth compressing with any dictionary, and with none. */
  const calls = `[${call},${call},${call},${call}]`;
  let served: Gateway;

  beforeAll(async () => {
    served = await startGateway({
      config: {
        listen: { allowedOrigins: ['https://app.example'] },
        codec: { minBytes: 16, zstd: { dictionary: [file('json-rpc.dict'), file('events.dict')] } },
      },
    });
  });

  const fetchDictionary = (id: string, init: RequestInit = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${served.port}/dictionary/${id}`, init);

  it.each([newest, old])('are served by their id: $id', async ({ id, bytes }) => {
    const response = await fetchDictionary(String(id));
    expect(response.status).toBe(200);
    expect(Buffer.from(await response.arrayBuffer()).equals(bytes)).toBe(true);
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect(response.headers.get('cache-control')).toMatch(/max-age=31536000.*immutable/);
    expect(response.headers.get('content-length')).toBe(String(bytes.length));
  });

  it.each(['0', '9', '', '1001/', '01001x', '-1', '99999999999', '../health', '%31%30%30%31'])(
    'that are not there are 404: %j',
    async (id) => expect((await askUpgrade(served.port, { path: `/dictionary/${id}` })).status).toBe(404),
  );

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('are not for %s', async (method) => {
    expect((await fetchDictionary('1001', { method })).status).toBe(405);
  });

  it('go to pages of the allowed origins only', async () => {
    const from = (origin: string): Promise<Response> =>
      fetchDictionary('1001', { headers: { Origin: origin } });
    const allowed = await from('https://app.example');
    expect(allowed.status).toBe(200);
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://app.example');
    expect(allowed.headers.get('vary')).toBe('Origin');
    for (const origin of ['https://evil.example', 'null', 'https://app.example.evil.example']) {
      const refused = await from(origin);
      expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    }
    expect((await fetchDictionary('1001')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it.each([
    { asked: '', packsWith: 1001 },
    { asked: '&dictionary=1001', packsWith: 1001 },
    { asked: '&dictionary=1002', packsWith: 1002 },
    { asked: '&dictionary=0', packsWith: 0 },
    { asked: '&dictionary=77', packsWith: 1001 },
  ])('pack as the client asks: "$asked" with $packsWith', async ({ asked, packsWith }) => {
    const dictionary = [newest, old].find(({ id }) => id === packsWith)?.bytes;
    const options = { codec: 'zstd', ...(dictionary && { dictionary }) } as const;
    const client = await connectCodecClient(served.at(`/ws?codec=zstd${asked}`), options);
    client.send(calls);
    const wire = await client.next();
    expect(wire.isBinary).toBe(true);
    expect(dictionaryIdOf(wire.data.subarray(1))).toBe(packsWith);
    expect(unpack('zstd', wire, dictionary).data.toString()).toBe(calls);
    // Whatever it packs with, it reads all it has.
    for (const bytes of [newest.bytes, old.bytes, undefined]) {
      client.send(pack('zstd', call, bytes));
      expect(unpack('zstd', await client.next(), dictionary).data.toString()).toBe(call);
    }
  });

  it('make small messages much smaller', async () => {
    const client = await connectCodecClient(served.at('/ws?codec=zstd'), {
      codec: 'zstd',
      dictionary: newest.bytes,
    });
    expect((await client.echo(call)).wireBytes).toBeLessThan(call.length * 0.6);
  });

  it('that the gateway does not have close with 1007', async () => {
    const strange = Buffer.from(newest.bytes);
    strange.writeUInt32LE(4_242, 4);
    const { client } = await RawClient.upgrade(served.port, { path: '/ws?codec=zstd' });
    client.send(clientFrame(pack('zstd', call, strange), { opcode: OPCODE.binary }));
    expect(await client.closed).toBe(1_007);
  });

  it.each(['x', '-1', '1e3', '99999999999', ''])(
    'asked for by something else than an id are 400: %j',
    async (id) => {
      const { status } = await askUpgrade(served.port, { path: `/ws?codec=zstd&dictionary=${id}` });
      expect(status).toBe(400);
    },
  );
});

/** The flags of a message that was worth compressing. */
function codecFlags(codec: CodecName, isText: boolean): number | undefined {
  if (codec === 'identity') return isText ? undefined : 0;
  return FLAG.compressed | (isText ? FLAG.text : 0);
}

/** Texts and binaries in turn, each different from all others. */
function mixedMessages(rounds: number): (string | Buffer)[] {
  const sizes = Array.from({ length: rounds }, () => MIXED_SIZES).flat();
  return sizes.map((size, i) => {
    const text = prose(size, random);
    if (i % 3 === 0) return Buffer.from(text);
    return i % 7 === 1 ? noise(size, random) : text;
  });
}

function expectSame({ data, isBinary }: Received, sent: string | Buffer): void {
  const wanted = Buffer.from(sent);
  if (data.equals(wanted) && isBinary === (typeof sent !== 'string')) return;
  const start = (bytes: Buffer): string => `${bytes.length} bytes: ${bytes.toString('latin1', 0, 60)}`;
  expect({ isBinary, data: start(data) }).toEqual({
    isBinary: typeof sent !== 'string',
    data: start(wanted),
  });
  throw new Error(`differs after its start: ${start(wanted)}`);
}

async function nextJson(client: CodecClient): Promise<Json> {
  return JSON.parse((await client.nextUnpacked(20_000)).data.toString()) as Json;
}

/** A backend that echoes nothing: it remembers what it hears, and says what it is told to. */
interface Talker extends Backend {
  readonly heard: readonly Hearing[];
  willSay: readonly (string | Buffer)[];
}

/** What one connection brought. */
interface Hearing {
  readonly messages: Received[];
  /** The code it ended with; false before. */
  closed: number | false;
}

async function startTalker(): Promise<Talker> {
  const heard: Hearing[] = [];
  const say = (socket: WebSocket, closes: boolean): void => {
    for (const message of started.willSay) socket.send(message);
    if (closes) socket.close(4_321);
  };
  const backend = await startBackend({
    onConnection: (socket) => {
      const hearing: Hearing = { messages: [], closed: false };
      heard.push(hearing);
      socket.on('close', (code) => (hearing.closed = code));
      socket.on('message', (data: Buffer, isBinary) => {
        hearing.messages.push({ data, isBinary });
        if (isBinary) return;
        const text = data.toString();
        if (text.startsWith('say it')) say(socket, text.includes('close'));
        else socket.send(text);
      });
    },
  });
  const started: Talker = { ...backend, heard, willSay: [] };
  return started;
}
