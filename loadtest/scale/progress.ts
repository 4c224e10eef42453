import { grouped, milliseconds } from '../result/grouped.ts';
import type { Step } from '../stand/progress-bar.ts';
import type { SecondFigures } from './load-figures.ts';

/** Clients that connect: how many are there, how fast, and how long it will take. */
export function connectingStep(open: number, failed: number, wanted: number, elapsedMs: number): Step {
  const perSecond = (open + failed) / Math.max(0.001, elapsedMs / 1_000);
  const left = wanted - open - failed;
  return {
    what: 'connecting',
    share: (open + failed) / wanted,
    details: [
      `${grouped(open)} of ${grouped(wanted)}`,
      `${grouped(perSecond)}/s`,
      ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
      ...(perSecond > 0 ? [left > 0 ? `${grouped(Math.ceil(left / perSecond))} s left` : 'all there'] : []),
    ],
  };
}

export interface LoadMoment {
  readonly name: string;
  readonly elapsedMs: number;
  readonly durationMs: number;
  /** The last second. */
  readonly last: SecondFigures | undefined;
  /** Until now. */
  readonly errors: number;
}

/** A load on its way. */
export function loadingStep({ name, elapsedMs, durationMs, last, errors }: LoadMoment): Step {
  const leftMs = durationMs - elapsedMs;
  const left = leftMs > 0 ? `${grouped(Math.ceil(leftMs / 1_000))} s left` : 'waiting for the last replies';
  const p99 = last && last.latency.count > 0 ? last.latency.quantileUs(0.99) / 1_000 : undefined;
  return {
    what: name,
    share: elapsedMs / durationMs,
    details: [
      left,
      ...(last === undefined ? [] : [`${grouped(last.received)}/s`]),
      ...(p99 === undefined ? [] : [`p99 ${milliseconds(p99)}`]),
      `${grouped(errors)} errors`,
    ],
  };
}
