import type { RunResult, SecondOfRun } from '../result/run-result.ts';

/** A part of a run, of a second or of several. */
export interface Moment {
  /** Seconds since the load began, at its end. */
  readonly at: number;
  readonly seconds: number;
  readonly sentPerSecond: number;
  readonly receivedPerSecond: number;
  readonly errorsPerSecond: number;
  readonly open: number;
  readonly latencyMs: SecondOfRun['latencyMs'];
  readonly processes: SecondOfRun['processes'];
}

/** How many moments a chart shows: one for every second of ten minutes. */
const mostMoments = 600;
/** What is left of a second when a run ends says little by itself. */
const leastSeconds = 0.5;

/** Returns how many seconds of the run a moment of it stands for. */
export function secondsOfMoments({ timeline }: RunResult): number {
  return Math.max(1, Math.ceil(timeline.length / mostMoments));
}

/**
 * The run as charts show it: where it is long, several seconds together. Rates are those of all of them; of latencies, errors and what
 * processes used, the highest second counts, so that nothing that stood out is lost.
 */
export function momentsOf(result: RunResult, each = secondsOfMoments(result)): Moment[] {
  const seconds = measuredSeconds(result.timeline);
  const moments: Moment[] = [];
  for (let first = 0; first < seconds.length; first += each)
    moments.push(together(seconds.slice(first, first + each)));
  return moments;
}

/** One for each entry, its rates per second; the last joins the one before when next to nothing is left of it. */
function measuredSeconds(timeline: readonly SecondOfRun[]): Moment[] {
  const moments: Moment[] = [];
  let before = 0;
  for (const [index, { at, sent, received, errors, open, latencyMs, processes }] of timeline.entries()) {
    const seconds = at - before;
    before = at;
    if (seconds <= 0) continue;
    const moment: Moment = {
      ...{ at, seconds, open, latencyMs, processes },
      sentPerSecond: sent / seconds,
      receivedPerSecond: received / seconds,
      errorsPerSecond: errors / seconds,
    };
    const isRest = index === timeline.length - 1 && seconds < leastSeconds && moments.length > 0;
    moments.push(isRest ? together([moments.pop()!, moment]) : moment);
  }
  return moments;
}

function together(parts: readonly Moment[]): Moment {
  if (parts.length === 1) return parts[0]!;
  const seconds = parts.reduce((sum, part) => sum + part.seconds, 0);
  const rate = (read: (part: Moment) => number): number =>
    parts.reduce((sum, part) => sum + read(part) * part.seconds, 0) / seconds;
  const most = (read: (part: Moment) => number): number => Math.max(...parts.map(read));
  return {
    at: parts.at(-1)!.at,
    seconds,
    sentPerSecond: rate((part) => part.sentPerSecond),
    receivedPerSecond: rate((part) => part.receivedPerSecond),
    errorsPerSecond: most((part) => part.errorsPerSecond),
    open: most((part) => part.open),
    latencyMs: highest(parts),
    processes: mostUsed(parts),
  };
}

function highest(parts: readonly Moment[]): SecondOfRun['latencyMs'] {
  const measured = parts.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  if (measured.length === 0) return null;
  const of = (name: 'p50' | 'p95' | 'p99' | 'max'): number =>
    Math.max(...measured.map((latency) => latency[name]));
  return { p50: of('p50'), p95: of('p95'), p99: of('p99'), max: of('max') };
}

function mostUsed(parts: readonly Moment[]): SecondOfRun['processes'] {
  const names = new Set(parts.flatMap(({ processes }) => Object.keys(processes)));
  return Object.fromEntries(
    [...names].map((name) => {
      const uses = parts.flatMap(({ processes }) => (processes[name] === undefined ? [] : [processes[name]]));
      return [
        name,
        {
          cores: Math.max(...uses.map(({ cores }) => cores)),
          residentBytes: Math.max(...uses.map(({ residentBytes }) => residentBytes)),
        },
      ];
    }),
  );
}
