import { readDictionary } from '../../corpus/read.ts';
import { bytesOf, committed, messagesOf, sizes } from '../../corpus/sizes.ts';
import type { Size } from '../../corpus/sizes.ts';
import type { Bench, Subject } from '../subject.ts';
import { aligned } from '../../result/aligned.ts';
import { takeTurns } from '../turns.ts';
import type { TurnTimes } from '../turns.ts';
import { contestants } from './codec-contestants.ts';
import type { Contestant } from './codec-contestants.ts';
import { us } from './codec-figures.ts';
import { measurePool, poolTable } from './codec-pool.ts';

const rounds = 9;
const sliceMs = 8;

interface Speed {
  /** Per message. */
  readonly us: number;
  readonly faster: number;
  readonly MBs: number;
}

interface Row {
  readonly contestant: Contestant;
  readonly encode: Speed;
  readonly decode: Speed;
  /** Plain bytes ÷ packed bytes. */
  readonly ratio: number;
  readonly smaller: number;
}

interface Goal {
  readonly size: string;
  readonly contestant: string;
  readonly what: 'faster' | 'smaller';
  readonly least: number;
}

const withDictionary = 'codec zstd 3 + dictionary';

const goals: readonly Goal[] = [
  { size: '280 B', contestant: withDictionary, what: 'faster', least: 4 },
  { size: '280 B', contestant: withDictionary, what: 'smaller', least: 2 },
  { size: '10 KB', contestant: 'codec zstd 3', what: 'faster', least: 3 },
  { size: '280 B', contestant: 'codec gzip 6', what: 'faster', least: 1.3 },
];

/** Each codec on the corpus, in ratios to `gzipSync` at level 6, which takes its turns with them. */
export const codec: Subject = {
  name: 'codec-compared',
  async run(bench) {
    const bySize = new Map<string, readonly Row[]>();
    for (const size of sizes) {
      const plain = messagesOf(size);
      const rows = await measureSize(bench, size, plain);
      const pool = await measurePool(plain, () =>
        bench.progress(`codec-compared: ${size.name}, in the thread pool …`),
      );
      bySize.set(size.name, rows);
      bench.keepOther({ subject: 'codec-compared', size: size.name, rows, pool });
      const mean = Math.round(bytesOf(plain) / plain.length);
      bench.print(
        `codec-compared: ${size.name} (${plain.length} messages, ${mean} bytes on average)\n${table(rows)}`,
      );
      bench.print(`${byKindLine(size, rows)}\n\n${poolTable(pool, rows)}\n`);
    }
    bench.print(`${goals.map((goal) => goalLine(goal, bySize)).join('\n')}\n`);
  },
};

async function measureSize(bench: Bench, size: Size, messages: readonly Buffer[]): Promise<Row[]> {
  const all = contestants(readDictionary());
  const packed = all.map(({ encode }) => messages.map((message) => Buffer.from(encode(message))));
  for (const [i, contestant] of all.entries()) check(contestant, messages, packed[i]!);
  bench.progress(`codec-compared: ${size.name}, encoding …`);
  const encoders = all.map(
    ({ encode }) =>
      () =>
        messages.forEach((message) => encode(message)),
  );
  const encoding = await takeTurns(encoders, { rounds, sliceMs });
  bench.progress(`codec-compared: ${size.name}, decoding …`);
  const decoders = all.map(
    ({ decode }, i) =>
      () =>
        packed[i]!.forEach((message) => decode(message)),
  );
  const decoding = await takeTurns(decoders, { rounds, sliceMs });
  return all.map((contestant, i) => ({
    contestant,
    encode: speedOf(encoding[i]!, messages),
    decode: speedOf(decoding[i]!, messages),
    ratio: bytesOf(messages) / bytesOf(packed[i]!),
    smaller: bytesOf(packed[0]!) / bytesOf(packed[i]!),
  }));
}

function speedOf({ passUs, timesFaster }: TurnTimes, messages: readonly Buffer[]): Speed {
  return { us: passUs / messages.length, faster: timesFaster, MBs: bytesOf(messages) / passUs };
}

/** A codec that loses something is no contestant. */
function check({ name, decode }: Contestant, messages: readonly Buffer[], packed: readonly Buffer[]): void {
  for (const [i, message] of messages.entries()) {
    if (!message.equals(decode(packed[i]!))) throw new Error(`${name}: a message is not what it was`);
  }
}

function table(rows: readonly Row[]): string {
  const head = ['', 'µs encode', '× faster', 'MB/s', 'µs decode', '× faster', 'MB/s', 'ratio', '× smaller'];
  const cells = rows.map(({ contestant, encode, decode, ratio, smaller }) => [
    contestant.name,
    ...[encode, decode].flatMap((speed) => [us(speed.us), speed.faster.toFixed(2), speed.MBs.toFixed(0)]),
    ...[ratio.toFixed(2), smaller.toFixed(2)],
  ]);
  return aligned([head, ...cells]);
}

/** A dictionary helps most where messages have much in common and little chance in them. */
function byKindLine(size: Size, rows: readonly Row[]): string {
  const messages = committed(size);
  const { contestant } = rows.find((row) => row.contestant.name === withDictionary)!;
  const kinds = [...new Set(messages.map(({ kind }) => kind))].map((kind) => {
    const plain = messages.filter((message) => message.kind === kind).map(({ bytes }) => bytes);
    const packedBytes = (by: Contestant): number =>
      plain.reduce((sum, bytes) => sum + by.encode(bytes).length, 0);
    return `${kind} ${(packedBytes(rows[0]!.contestant) / packedBytes(contestant)).toFixed(2)}`;
  });
  return `  × smaller with the dictionary, by kind: ${kinds.join(', ')}`;
}

function goalLine(
  { size, contestant, what, least }: Goal,
  bySize: ReadonlyMap<string, readonly Row[]>,
): string {
  const row = bySize.get(size)!.find((row) => row.contestant.name === contestant)!;
  const seen = what === 'smaller' ? row.smaller : row.encode.faster;
  const verdict = seen >= least ? 'met' : 'missed';
  return `${contestant} ÷ gzipSync 6 at ${size}: ${seen.toFixed(2)}× ${what} (goal ≥ ${least.toFixed(1)}: ${verdict})`;
}
