import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Bench } from '../subject.ts';
import { aligned } from '../../result/aligned.ts';
import { grouped } from '../../result/grouped.ts';
import { median } from '../../result/median.ts';
import { contestants, flexibleName, keyCount } from './ratelimit-contestants.ts';
import type { Contestant } from './ratelimit-contestants.ts';

const goalNs = 15;
/** So few that the collector seldom comes within them, whatever they allocate. */
const checksPerPass = 4096;
const quietPasses = 400;

const bytesNote =
  '  bytes: allocated for a check, 0.25 of them for the clock, which is read once for 64 checks';

/** What one way to check costs. */
export interface CheckFigures {
  readonly name: string;
  readonly guideNs: number | undefined;
  /** The median of the rounds. */
  readonly ns: number;
  /** By how much `rate-limiter-flexible` takes longer, in the median of the rounds. */
  readonly timesFaster: number;
  readonly refusedShare: number;
  readonly bytes: number;
}

/** Lets the strategies and `rate-limiter-flexible` in memory take turns, prints what a check costs, and returns it. */
export async function measureStrategies({ options, print, progress }: Bench): Promise<CheckFigures[]> {
  const all = await contestants();
  const rounds = 1 + 4 * options.pace.rounds;
  const runs = all.map((): Run[] => []);
  // The first round only warms up.
  for (let round = 0; round <= rounds; round++) {
    progress(`ratelimit: strategies, round ${round} of ${rounds} …`);
    for (const [i, contestant] of all.entries()) {
      const run = await runFor(options.pace.windowMs / rounds, contestant);
      if (round > 0) runs[i]!.push(run);
    }
  }
  const flexible = runs[all.findIndex(({ name }) => name === flexibleName)]!;
  const figures: CheckFigures[] = [];
  for (const [i, contestant] of all.entries()) {
    const own = runs[i]!;
    figures.push({
      ...{ name: contestant.name, guideNs: contestant.guideNs },
      ns: median(own.map(({ ns }) => ns)),
      timesFaster: median(own.map(({ ns }, round) => flexible[round]!.ns / ns)),
      refusedShare: median(own.map(({ refusedShare }) => refusedShare)),
      bytes: await bytesPerCheck(contestant),
    });
  }
  print(`ratelimit: one check, ${grouped(keyCount)} keys in random order\n${table(figures)}\n${bytesNote}\n`);
  return figures;
}

interface Run {
  readonly ns: number;
  readonly refusedShare: number;
}

async function runFor(durationMs: number, { pass }: Contestant): Promise<Run> {
  await nextTurn();
  const startedMs = performance.now();
  let [checks, refused, elapsedMs] = [0, 0, 0];
  while (elapsedMs < durationMs) {
    refused += await pass(checksPerPass);
    checks += checksPerPass;
    elapsedMs = performance.now() - startedMs;
  }
  return { ns: (elapsedMs * 1e6) / checks, refusedShare: refused / checks };
}

/** The growth of the heap in the middle one of many passes: one in which nothing was collected or compiled. */
async function bytesPerCheck({ pass }: Contestant): Promise<number> {
  const growths: number[] = [];
  for (let i = 0; i < quietPasses; i++) {
    const before = process.memoryUsage().heapUsed;
    await pass(checksPerPass);
    growths.push(process.memoryUsage().heapUsed - before);
  }
  return median(growths) / checksPerPass;
}

function table(figures: readonly CheckFigures[]): string {
  const head = [
    '',
    'ns',
    'goal',
    'guide, ns',
    '× faster',
    `× faster than ${flexibleName}`,
    'refused',
    'bytes',
  ];
  const rows = figures.map(({ name, guideNs, ns, timesFaster, refusedShare, bytes }) => [
    name,
    ns.toFixed(1),
    guideNs === undefined ? '' : `≤ ${goalNs} ${ns <= goalNs ? 'met' : 'missed'}`,
    guideNs === undefined ? '' : String(guideNs),
    guideNs === undefined ? '' : (guideNs / ns).toFixed(0),
    timesFaster.toFixed(1),
    `${(refusedShare * 100).toFixed(1)} %`,
    bytes.toFixed(bytes < 10 ? 2 : 0),
  ]);
  return aligned([head, ...rows]);
}
