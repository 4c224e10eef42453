import { setImmediate as nextTurn } from 'node:timers/promises';
import { median } from '../result/median.ts';

/** Something that is done again and again, one pass at a time. */
export type Work = () => unknown;

/** The median time of one pass, and by how much the first of the works takes longer, in the median of the rounds. */
export interface TurnTimes {
  readonly passUs: number;
  readonly timesFaster: number;
}

export interface TurnOptions {
  readonly rounds: number;
  /** How long each work runs in each round, at least. */
  readonly sliceMs: number;
  readonly now?: () => number;
}

/** Lets the works take turns, so that a machine whose speed changes slows all of them down. Each is warmed up first. */
export async function takeTurns(
  works: readonly Work[],
  { rounds, sliceMs, now = () => performance.now() }: TurnOptions,
): Promise<TurnTimes[]> {
  const passes = works.map((work) => passesWithin(sliceMs, work, now));
  const timesUs = works.map((): number[] => []);
  for (let round = 0; round < rounds; round++) {
    for (const [i, work] of works.entries()) timesUs[i]!.push(passUs(work, passes[i]!, now));
    await nextTurn();
  }
  return timesUs.map((own) => ({
    passUs: median(own),
    timesFaster: median(own.map((us, round) => timesUs[0]![round]! / us)),
  }));
}

/** How often the work is done in `sliceMs`, at least once; the first attempts only warm it up. */
function passesWithin(sliceMs: number, work: Work, now: () => number): number {
  let passes = 1;
  for (let us = passUs(work, 1, now); us * passes < sliceMs * 1000; us = passUs(work, passes, now)) {
    passes = Math.max(passes + 1, Math.min(passes * 4, Math.ceil((sliceMs * 1000) / us)));
  }
  return passes;
}

function passUs(work: Work, passes: number, now: () => number): number {
  const startedMs = now();
  for (let i = 0; i < passes; i++) work();
  return ((now() - startedMs) * 1000) / passes;
}
