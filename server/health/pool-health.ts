import type { PoolHealth, Since, UpstreamHealth } from '../admin/health-control.ts';
import type { PoolReport, UpstreamReport } from '../admin/pools-control.ts';

/** Since when something is as it is that has been so for this long. */
export type SinceOf = (ageMs: number) => Since;

/** Those that get nothing, or only a try, by no decision of an operator. */
const troubled: ReadonlySet<UpstreamReport['state']> = new Set([
  'down',
  'breaker-open',
  'half-open',
  'ejected',
]);

/** How a pool and its upstreams are. */
export function poolHealth(report: PoolReport, sinceOf: SinceOf): PoolHealth {
  const { name, mode, embedded } = report;
  return {
    ...{ name, mode, embedded, state: stateOf(report) },
    upstreams: report.upstreams.map((upstream) => upstreamHealth(upstream, sinceOf)),
  };
}

/** What an operator should know of a pool, a line each. */
export function poolProblems({ name, state, upstreams }: PoolHealth): string[] {
  const own =
    state === 'down'
      ? [`pool ${name} has no upstream`]
      : state === 'paused'
        ? [`pool ${name} is paused`]
        : [];
  const ofUpstreams = upstreams.filter((upstream) => troubled.has(upstream.state));
  return [...own, ...ofUpstreams.map(({ upstream, state: how }) => `pool ${name}: ${upstream} is ${how}`)];
}

function stateOf({ paused, healthy, upstreams }: PoolReport): PoolHealth['state'] {
  if (paused) return 'paused';
  if (!healthy) return 'down';
  return upstreams.some(({ state }) => troubled.has(state)) ? 'degraded' : 'ok';
}

function upstreamHealth(report: UpstreamReport, sinceOf: SinceOf): UpstreamHealth {
  const { upstream, state, stateAgeMs, connections, inFlight, lastFailure } = report;
  return {
    ...{ upstream, state, ...sinceOf(stateAgeMs), connections, inFlight },
    lastFailure: lastFailure && failureOf(lastFailure, sinceOf),
  };
}

function failureOf(
  { kind, detail, agoMs }: NonNullable<UpstreamReport['lastFailure']>,
  sinceOf: SinceOf,
): UpstreamHealth['lastFailure'] {
  const { since, ageSeconds } = sinceOf(agoMs);
  return { kind, detail, at: since, ageSeconds };
}
