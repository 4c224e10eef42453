import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { compress } from '@mongodb-js/zstd';
import { aligned } from '../../result/aligned.ts';
import { median } from '../../result/median.ts';
import { codecOf } from './codec-contestants.ts';
import type { Contestant } from './codec-contestants.ts';
import { us } from './codec-figures.ts';

const rounds = 3;
const windowMs = 60;
const atOnce = 4;

/** What a message costs in the thread pool, in µs. */
export interface PoolRow {
  readonly name: string;
  readonly aloneUs: number;
  readonly togetherUs: number;
  /** How long it keeps this thread busy, when several are under way. */
  readonly threadUs: number;
}

interface PoolContestant {
  readonly name: string;
  readonly encode: (plain: Buffer) => Promise<Uint8Array>;
}

/** Packs the messages in the thread pool by each way there is, one after another and several at once. */
export async function measurePool(messages: readonly Buffer[], onRound: () => void): Promise<PoolRow[]> {
  const all = poolContestants().map((contestant) => ({ contestant, runs: [] as PoolRow[] }));
  for (let round = 0; round < rounds; round++) {
    onRound();
    for (const { contestant, runs } of all) runs.push(await measureOne(contestant, messages));
  }
  return all.map(({ contestant: { name }, runs }) => ({
    name,
    aloneUs: median(runs.map((run) => run.aloneUs)),
    togetherUs: median(runs.map((run) => run.togetherUs)),
    threadUs: median(runs.map((run) => run.threadUs)),
  }));
}

/** Returns the rows as text, beside what the same codec takes outside of the pool. */
export function poolTable(
  rows: readonly PoolRow[],
  inThread: readonly { readonly contestant: Contestant; readonly encode: { readonly us: number } }[],
): string {
  const head = [
    'in the thread pool, µs',
    'alone',
    `${atOnce} at once`,
    'of this thread',
    '(not in the pool)',
  ];
  const cells = rows.map(({ name, aloneUs, togetherUs, threadUs }) => {
    const same = inThread.find(({ contestant }) => contestant.name === name);
    return [name, us(aloneUs), us(togetherUs), us(threadUs), same ? us(same.encode.us) : ''];
  });
  return aligned([head, ...cells]);
}

function poolContestants(): PoolContestant[] {
  const codecs = { gzip: codecOf('gzip', 6), brotli: codecOf('brotli', 4), zstd: codecOf('zstd', 3) };
  const [nodeGzip, nodeZstd] = [promisify(zlib.gzip), promisify(zlib.zstdCompress)];
  return [
    { name: 'codec gzip 6', encode: (plain) => codecs.gzip.encodeInPool(plain) },
    { name: 'codec brotli 4', encode: (plain) => codecs.brotli.encodeInPool(plain) },
    { name: 'codec zstd 3', encode: (plain) => codecs.zstd.encodeInPool(plain) },
    { name: 'zlib.gzip 6', encode: (plain) => nodeGzip(plain) },
    { name: 'zlib.zstdCompress 3', encode: (plain) => nodeZstd(plain) },
    { name: '@mongodb-js/zstd 3', encode: (plain) => compress(plain, 3) },
  ];
}

async function measureOne(contestant: PoolContestant, messages: readonly Buffer[]): Promise<PoolRow> {
  const alone = await throughPool(contestant, messages, 1);
  const together = await throughPool(contestant, messages, atOnce);
  return {
    ...{ name: contestant.name, aloneUs: alone.us },
    ...{ togetherUs: together.us, threadUs: together.threadUs },
  };
}

async function throughPool(
  { encode }: PoolContestant,
  messages: readonly Buffer[],
  lanes: number,
): Promise<{ readonly us: number; readonly threadUs: number }> {
  let done = 0;
  const startedMs = performance.now();
  const before = performance.eventLoopUtilization();
  const lane = async (): Promise<void> => {
    while (performance.now() - startedMs < windowMs) await encode(messages[done++ % messages.length]!);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  const { active } = performance.eventLoopUtilization(before);
  return { us: ((performance.now() - startedMs) * 1000) / done, threadUs: (active * 1000) / done };
}
