import { z } from 'zod';
import { grouped } from '../../result/grouped.ts';
import type { StageFigures } from '../evidence.ts';
import { stageOf } from '../evidence.ts';
import { inMs } from './expectation.ts';
import type { Judge } from './expectation.ts';

export const rateKeptSchema = z.strictObject({ share: z.number().positive().max(1) });

/** The rate that was wanted is reached by replies, in every stage. */
export const rateKept: Judge<z.infer<typeof rateKeptSchema>> = (evidence, { share }) => {
  const slow = evidence.stages.filter((stage) => !keepsRate(stage, share));
  const least = Math.min(...evidence.stages.map((stage) => repliesPerSecond(stage) / stage.wantedPerSecond));
  const told = slow.map((stage) => `; ${stage.name}: ${grouped(repliesPerSecond(stage))}/s`);
  return {
    expectation: `replies come at ${percent(share)} of the wanted rate or more, in every stage`,
    measured:
      evidence.stages.length === 0 ? 'nothing was sent' : `${percent(least)} at the least${told.join('')}`,
    passed: evidence.stages.length > 0 && slow.length === 0,
  };
};

/** Returns true when the stage reached that share of its rate. */
export function keepsRate(stage: StageFigures, share: number): boolean {
  return repliesPerSecond(stage) >= share * stage.wantedPerSecond;
}

/** Returns replies per second over the time the stage took: longer than wanted where it fell behind, but for the last replies. */
export function repliesPerSecond(stage: StageFigures): number {
  if (stage.endedAtMs === 0) return stage.replied / Math.max(1, stage.seconds.length);
  const took = (stage.endedAtMs - stage.beganAtMs) / 1_000 - lastRepliesSeconds;
  return stage.replied / Math.max(stage.wantedSeconds, took);
}

/** How long the last replies may take without the rate being counted as missed. */
const lastRepliesSeconds = 1;

export const p99CloseSchema = z.strictObject({
  stage: z.string(),
  to: z.string(),
  ratio: z.number().positive(),
  orMs: z.number().positive(),
});

/** The p99 of one stage stays within a multiple of another's, or below a time in which a busy machine cannot tell them apart. */
export const p99Close: Judge<z.infer<typeof p99CloseSchema>> = (evidence, { stage, to, ratio, orMs }) => {
  const [judged, calm] = [stageOf(evidence, stage), stageOf(evidence, to)];
  const [p99Us, calmUs] = [judged.latency.quantileUs(0.99), calm.latency.quantileUs(0.99)];
  return {
    expectation: `p99 of ${stage} is at most ${ratio} times that of ${to}, or ${orMs} ms`,
    measured: `${inMs(p99Us)}, ${to} ${inMs(calmUs)}`,
    passed: judged.replied > 0 && calm.replied > 0 && p99Us <= Math.max(ratio * calmUs, orMs * 1_000),
  };
};

export const admittedSchema = z.strictObject({
  stage: z.string(),
  connections: z.number().int().positive(),
  perSecond: z.number().positive(),
  burst: z.number().nonnegative(),
});

/** A limiter that is kept by each connection lets no more in than its rate and its burst allow in the time that the stage took. */
export const admitted: Judge<z.infer<typeof admittedSchema>> = (evidence, parameters) => {
  const { stage: name, connections, perSecond, burst } = parameters;
  const stage = stageOf(evidence, name);
  const seconds = (stage.endedAtMs - stage.beganAtMs) / 1_000;
  const most = Math.floor(connections * (perSecond * seconds + burst));
  return {
    expectation: `at most ${connections} × (${perSecond}/s × ${seconds.toFixed(1)} s + ${burst}) are let in (${name})`,
    measured: `${grouped(stage.replied)} of ${grouped(stage.sent)} sent; the most is ${grouped(most)}`,
    passed: stage.replied > 0 && stage.replied <= most,
  };
};

function percent(share: number): string {
  return `${(share * 100).toFixed(share < 1 ? 1 : 0).replace(/\.0$/, '')} %`;
}
