import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import type { Received } from './support/client.ts';
import { startCodecBackend } from './support/codec-backend.ts';
import { CODECS, FLAG, decompress, dictionaryIdOf, withFlags } from './support/codec-wire.ts';
import type { CodecName } from './support/codec-wire.ts';
import { startControls } from './support/controls.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { mutateBytes } from './support/mutate-bytes.ts';
import { packedSamples } from './support/packed-samples.ts';
import type { PackedSamples } from './support/packed-samples.ts';
import { residentBytes } from './support/process-memory.ts';
import { seededRandom } from './support/random.ts';
import { OPCODE, RawClient, clientFrame } from './support/raw-client.ts';
import type { Frame } from './support/raw-client.ts';

const SECONDS = Number(process.env['WSLUICE_FUZZ_SECONDS'] ?? 5);
const SEED = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000);
const MIB = 1 << 20;
const CAP_BYTES = MIB / 4;
const WORKERS = 24;
/** Every so many workers one attacks from the side of the upstreams. */
const UPSTREAM_EVERY = 4;

const files = ['json-rpc.dict', 'events.dict'].map((name) => join(CHECKOUT, 'codec/fixtures', name));
const dictionaries = files.map((file) => readFileSync(file));

/** What the workers did, in numbers. */
interface Tally {
  messages: number;
  echoed: number;
  closed: number;
  vanished: number;
  readonly faults: string[];
}

interface FuzzedMessage {
  readonly wire: Buffer;
  /** Whatever it has been through, a receiver has to take it. */
  readonly isGood: boolean;
}

it(
  'messages that are damaged at random harm nobody, and what is made of them is what zlib makes of them',
  { timeout: (SECONDS + 90) * 1_000 },
  async () => {
    console.log(`fuzzing for ${SECONDS} s, seed ${SEED} (set WSLUICE_FUZZ_SECONDS, WSLUICE_TEST_SEED)`);
    const said = new Map<string, Buffer>();
    const gateway = await startFuzzedGateway(said);
    const controls = await startControls(gateway, dictionaries);
    const samples = await allSamples();
    const tally: Tally = { messages: 0, echoed: 0, closed: 0, vanished: 0, faults: [] };
    const endsAtMs = performance.now() + SECONDS * 1_000;
    const memory: number[] = [];
    const goesOn = (): boolean => performance.now() < endsAtMs && tally.faults.length === 0;
    const watch = async (): Promise<void> => {
      while (goesOn()) {
        memory.push(residentBytes(gateway.pid));
        await sleep(SECONDS);
      }
    };
    const work = async (n: number): Promise<void> => {
      const codec = CODECS[n % CODECS.length]!;
      const random = seededRandom(SEED * 1_000 + n);
      const worker: Worker = { gateway, codec, random, samples: samples[codec], said, name: `worker ${n}` };
      const isUpstream = codec !== 'identity' && Math.floor(n / CODECS.length) % UPSTREAM_EVERY === 0;
      while (goesOn()) await (isUpstream ? fuzzFromUpstream(worker, tally) : fuzzFromClient(worker, tally));
    };
    await Promise.all([watch(), ...Array.from({ length: WORKERS }, (_, n) => work(n))]);

    console.log(`fuzzed: ${JSON.stringify({ ...tally, controlReplies: controls.replies() })}`);
    expect(tally.faults).toEqual([]);
    expect(await controls.faults(), 'what went wrong on other connections').toEqual([]);
    expect(gateway.hasExited(), gateway.output().slice(-2_000)).toBe(false);
    for (const count of [tally.echoed, tally.closed, controls.replies()])
      expect(count).toBeGreaterThan(SECONDS);
    await expectConsistent(gateway, tally, controls.count);
    const third = Math.ceil(memory.length / 3);
    const grownBytes = median(memory.slice(-third)) - Math.max(...memory.slice(0, third));
    expect(grownBytes, 'bytes of memory, after the first third').toBeLessThan(64 * MIB);
    controls.stop();
    await eventually(async () =>
      expect((await gateway.metrics()).sum('websocket_connections_total'), 'open connections').toBe(0),
    );
  },
);

interface Worker {
  readonly name: string;
  readonly gateway: Gateway;
  readonly codec: CodecName;
  readonly random: () => number;
  readonly samples: PackedSamples;
  /** What upstreams are to say, by what they are asked. */
  readonly said: Map<string, Buffer>;
}

/** One connection, until a message ends it. */
async function fuzzFromClient(worker: Worker, tally: Tally): Promise<void> {
  const { gateway, codec, random, name } = worker;
  const { client } = await RawClient.upgrade(gateway.port, { path: `/ws?codec=${codec}` });
  for (let n = 0; n < 40; n++) {
    const message = nextMessage(worker);
    const mark = `mark ${n}`;
    tally.messages++;
    client.send(Buffer.concat([...framesOf(message.wire, random), clientFrame(mark)]));
    if (random() < 0.02) {
      tally.vanished++;
      break;
    }
    const outcome = await outcomeOf(client, mark);
    judge({ codec, message, outcome, closes: [1007, 1009], name }, tally);
    if (typeof outcome === 'number') break;
  }
  client.destroy();
}

/** One session, until something its upstream says ends it. */
async function fuzzFromUpstream(worker: Worker, tally: Tally): Promise<void> {
  const { gateway, codec, said, name } = worker;
  const { client } = await RawClient.upgrade(gateway.port, { path: `/${codec}` });
  for (let n = 0; n < 40; n++) {
    const message = nextMessage(worker);
    const mark = `${name}, ${tally.messages++}`;
    said.set(mark, message.wire);
    client.send(clientFrame(mark));
    const outcome = await outcomeOf(client, mark);
    said.delete(mark);
    judge({ codec, message, outcome, closes: [1012], name }, tally);
    if (typeof outcome === 'number') break;
  }
  client.destroy();
}

/** The message that came back before the mark did, or the code of the close frame. */
async function outcomeOf(client: RawClient, mark: string): Promise<Frame[] | number> {
  const frames: Frame[] = [];
  for (;;) {
    const frame = await client.nextFrame(20_000).catch(() => undefined);
    if (frame === undefined || frame.opcode === OPCODE.close) return client.closed;
    if (frame.opcode === OPCODE.text && frame.payload.toString() === mark) return frames;
    if (frame.opcode !== OPCODE.ping) frames.push(frame);
  }
}

interface Judged {
  readonly codec: CodecName;
  readonly message: FuzzedMessage;
  readonly outcome: Frame[] | number;
  /** Close codes that a bad message may end in. */
  readonly closes: readonly number[];
  readonly name: string;
}

function judge({ codec, message: { wire, isGood }, outcome, closes, name }: Judged, tally: Tally): void {
  const fault = (what: string): void => {
    const shown = wire.length < 4_000 ? wire.toString('base64') : `${wire.length} bytes`;
    tally.faults.push(`${name}, message ${tally.messages}, ${codec}: ${what}: ${shown}`);
  };
  if (typeof outcome === 'number') {
    tally.closed++;
    if (isGood) fault(`a good message ended in ${outcome}`);
    if (!closes.includes(outcome)) fault(`ended in ${outcome}`);
    return;
  }
  tally.echoed++;
  const wanted = attempt(() => decode(codec, wire));
  const [frame, ...more] = outcome;
  if (frame === undefined || more.length > 0) return fault(`${outcome.length} messages came back`);
  const isBinary = frame.opcode === OPCODE.binary;
  // From upstreams it comes back to a client without a codec.
  const got = closes.includes(1012)
    ? { data: frame.payload, isBinary }
    : attempt(() => (isBinary ? decode(codec, frame.payload) : { data: frame.payload, isBinary }));
  if (wanted === undefined) return fault('was taken, and zlib does not take it');
  if (got === undefined) return fault('the reply is no message');
  if (got.isBinary !== wanted.isBinary || !got.data.equals(wanted.data)) fault('another message came back');
}

/** What zlib makes of a binary message; throws where it does not take it. */
function decode(codec: CodecName, wire: Buffer): Received {
  const flags = wire[0]!;
  if (flags > 3) throw new Error('reserved flags');
  const payload = wire.subarray(1);
  const isBinary = (flags & FLAG.text) === 0;
  if ((flags & FLAG.compressed) === 0) return { data: payload, isBinary };
  const id = codec === 'zstd' ? dictionaryIdOf(payload) : 0;
  const dictionary = id === 0 ? undefined : dictionaries.find((bytes) => bytes.readUInt32LE(4) === id);
  if (id !== 0 && dictionary === undefined) throw new Error('an unknown dictionary');
  return { data: decompress(codec, payload, dictionary), isBinary };
}

function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

function nextMessage({ random, samples: { good, bad } }: Worker): FuzzedMessage {
  const pick = (list: readonly Buffer[]): Buffer => list[Math.floor(random() * list.length)]!;
  const kind = random();
  if (kind < 0.25) return { wire: withFlags(FLAG.compressed, pick(good)), isGood: true };
  const base = kind < 0.85 ? pick(good) : pick(bad);
  const flags = random() < 0.9 ? FLAG.compressed | (random() < 0.3 ? FLAG.text : 0) : random() * 256;
  const wire = withFlags(flags, base);
  return { wire: kind < 0.95 ? mutateBytes(wire, pick(good), random) : wire, isGood: false };
}

/** The message in one frame, or in several. */
function framesOf(wire: Buffer, random: () => number): Buffer[] {
  if (random() < 0.8) return [clientFrame(wire, { opcode: OPCODE.binary })];
  const middle = Math.floor(random() * wire.length);
  return [
    clientFrame(wire.subarray(0, middle), { opcode: OPCODE.binary, fin: false }),
    clientFrame(wire.subarray(middle), { opcode: OPCODE.continuation }),
  ];
}

/** Its upstreams agree to a codec, and say what they are asked for and then what they were asked with. */
async function startFuzzedGateway(said: ReadonlyMap<string, Buffer>): Promise<Gateway> {
  const packers = CODECS.filter((codec) => codec !== 'identity');
  const pools = await Promise.all(
    packers.map(async (codec) => {
      const { url } = await startCodecBackend(codec, (socket, { data }) => {
        const mark = data.toString();
        socket.send(said.get(mark) ?? 'nothing', { binary: true });
        socket.send(mark);
      });
      return [codec, { mode: 'session', upstreams: [url], codec, maxMessageBytes: CAP_BYTES }] as const;
    }),
  );
  return startGateway({
    config: {
      listen: { maxMessageBytes: 2 * CAP_BYTES },
      codec: { offer: CODECS, minBytes: 64, maxDecodedBytes: CAP_BYTES, zstd: { dictionary: files } },
      routes: [
        { path: '/ws', pool: 'main' },
        ...packers.map((codec) => ({ path: `/${codec}`, pool: codec })),
      ],
      pools: { main: { mode: 'session', upstreams: ['echo:'] }, ...Object.fromEntries(pools) },
    },
  });
}

async function allSamples(): Promise<Record<CodecName, PackedSamples>> {
  const made = await Promise.all(
    CODECS.map(async (codec, n) => {
      const random = seededRandom(SEED + n);
      return [codec, await packedSamples(codec, { dictionaries, maxBytes: CAP_BYTES, random })] as const;
    }),
  );
  return Object.fromEntries(made) as Record<CodecName, PackedSamples>;
}

async function expectConsistent(gateway: Gateway, tally: Tally, open: number): Promise<void> {
  await eventually(async () => {
    const page = await gateway.metrics();
    const errors = (type: string): number => page.sum('websocket_errors_total', { type });
    expect(page.sum('websocket_connections_total'), 'open connections').toBe(open);
    expect(errors('internal'), 'bugs').toBe(0);
    const refused = errors('undecodable') + errors('decoded-too-big') + errors('upstream-lost');
    expect(refused).toBeGreaterThanOrEqual(tally.closed);
    expect(refused).toBeLessThanOrEqual(tally.closed + tally.vanished);
  });
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[numbers.length >> 1]!;
}
