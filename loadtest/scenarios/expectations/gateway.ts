import { z } from 'zod';
import { grouped } from '../../result/grouped.ts';
import { median } from '../../result/median.ts';
import { stageOf } from '../evidence.ts';
import type { Evidence, StageFigures } from '../evidence.ts';
import { medianSlope } from '../slope.ts';
import { notOurs } from './expectation.ts';
import type { Judge, Judgement } from './expectation.ts';

const megabyte = 1e6;
const tooShort = 'not judged: the stage was too short for three samples of it';
/** A slope over less than this says nothing of an hour. */
const tellingMs = 300_000;

export const gaugesBackSchema = z.strictObject({});

/** When the clients have left, every gauge of `/metrics` says again what it said before they came. */
export const gaugesBack: Judge<z.infer<typeof gaugesBackSchema>> = ({ gateway }) => {
  const expectation = 'every gauge of /metrics is back where it was before the clients came';
  if (gateway === undefined) return { expectation, measured: notOurs, passed: null };
  const before = gateway.before.gauges();
  const after = gateway.after.gauges();
  const all = [...new Set([...before.keys(), ...after.keys()])];
  const moved = all.filter((series) => (before.get(series) ?? 0) !== (after.get(series) ?? 0));
  const told = moved.map((series) => `${series}: ${before.get(series) ?? 0}, then ${after.get(series) ?? 0}`);
  return {
    expectation,
    measured: told.join('; ') || `${all.length} gauges, all back`,
    passed: all.length > 0 && moved.length === 0,
  };
};

export const memoryFlatSchema = z.strictObject({
  stage: z.string(),
  /** The part of the stage in which a heap still grows to its working size. */
  warmUpShare: z.number().min(0).max(0.9),
  /** What the slope may add up to over the rest of it. */
  growthMb: z.number().positive(),
});

/** After the warm-up the gateway's memory has no slope: the median of the slopes between all pairs of samples, over the time they span. */
export const memoryFlat: Judge<z.infer<typeof memoryFlatSchema>> = (evidence, parameters) => {
  const { stage: name, warmUpShare, growthMb } = parameters;
  const expectation = `the gateway's memory has no slope after the first ${warmUpShare * 100} %: under ${growthMb} MB in the rest`;
  const stage = stageOf(evidence, name);
  const fromMs = stage.beganAtMs + warmUpShare * (stage.endedAtMs - stage.beganAtMs);
  const samples = memoryIn(evidence, fromMs, stage.endedAtMs);
  if (samples === undefined) return { expectation, measured: notOurs, passed: null };
  if (samples.length < 3) return { expectation, measured: tooShort, passed: null };
  const spanMs = samples.at(-1)!.atMs - samples[0]!.atMs;
  const slope = medianSlope(samples.map(({ atMs, residentBytes }) => [atMs, residentBytes]));
  const growth = (slope * spanMs) / megabyte;
  const level = median(samples.map(({ residentBytes }) => residentBytes)) / megabyte;
  const perHour = spanMs < tellingMs ? '' : `, ${((slope * 3_600_000) / megabyte).toFixed(1)} MB/h`;
  return {
    expectation,
    measured: `${growth.toFixed(1)} MB in ${grouped(spanMs / 1_000)} s${perHour}, at ${level.toFixed(0)} MB`,
    passed: growth <= growthMb,
  };
};

export const memoryBoundedSchema = z.strictObject({
  stage: z.string(),
  than: z.string(),
  mb: z.number().positive(),
});

/** In one stage the gateway's memory is at most so much above what it was in another. */
export const memoryBounded: Judge<z.infer<typeof memoryBoundedSchema>> = (evidence, { stage, than, mb }) => {
  const expectation = `the gateway's memory grows by at most ${mb} MB from ${than} to ${stage}`;
  const peak = (of: StageFigures): number | undefined => {
    const samples = memoryIn(evidence, of.beganAtMs, of.endedAtMs + 1_000);
    return samples && Math.max(0, ...samples.map(({ residentBytes }) => residentBytes));
  };
  const [most, calm] = [peak(stageOf(evidence, stage)), peak(stageOf(evidence, than))];
  if (most === undefined || calm === undefined) return { expectation, measured: notOurs, passed: null };
  const growth = (most - calm) / megabyte;
  return {
    expectation,
    measured: `${growth.toFixed(0)} MB, to ${(most / megabyte).toFixed(0)} MB`,
    passed: most > 0 && calm > 0 && growth <= mb,
  };
};

export const ledgerSchema = z.strictObject({});

/** The gateway's own books: each request it accepted was replied to, ended in an error, or its client had gone. */
export const ledger: Judge<z.infer<typeof ledgerSchema>> = ({ gateway }) => {
  const expectation = 'accepted = replied + errored + abandoned, on /metrics';
  if (gateway === undefined) return { expectation, measured: notOurs, passed: null };
  const ended = (end: string): number => gateway.after.sum('wsluice_requests_ended_total', { end });
  const accepted = gateway.after.sum('wsluice_requests_accepted_total');
  const [replied, errored, abandoned] = [ended('replied'), ended('errored'), ended('abandoned')];
  return {
    expectation,
    measured: `${grouped(accepted)}; ${grouped(replied)} + ${grouped(errored)} + ${grouped(abandoned)}`,
    passed: accepted > 0 && accepted === replied + errored + abandoned,
  };
};

export const backAgainSchema = z.strictObject({ stage: z.string(), withinSeconds: z.number().positive() });

/** So many seconds after the first back end is there again, a whole second passes in which all is answered. */
export const backAgain: Judge<z.infer<typeof backAgainSchema>> = (evidence, parameters): Judgement => {
  const { stage: name, withinSeconds } = parameters;
  const expectation = `replies come again within ${withinSeconds} s of the return`;
  if (evidence.gateway === undefined) return { expectation, measured: notOurs, passed: null };
  const stage = stageOf(evidence, name);
  const returned = evidence.gateway.faults.find(({ kind }) => kind === 'start');
  if (returned === undefined) return { expectation, measured: 'nothing came back', passed: false };
  const fromSecond = Math.ceil((returned.atMs - stage.beganAtMs) / 1_000);
  const healthy = stage.seconds.findIndex(
    ({ sent, replied, errors }, second) => second >= fromSecond && sent > 0 && replied > 0 && errors === 0,
  );
  const took = healthy < 0 ? undefined : stage.beganAtMs / 1_000 + healthy - returned.atMs / 1_000;
  return {
    expectation,
    measured: took === undefined ? 'never' : `after ${took.toFixed(1)} s`,
    passed: took !== undefined && took <= withinSeconds,
  };
};

/** The samples taken in that time; undefined where there are none at all. */
function memoryIn(
  { gateway }: Evidence,
  fromMs: number,
  toMs: number,
): readonly { readonly atMs: number; readonly residentBytes: number }[] | undefined {
  return gateway?.memory.filter(({ atMs }) => atMs >= fromMs && atMs <= toMs);
}
