import { environment } from '../result/environment.ts';
import { grouped } from '../result/grouped.ts';
import { emptyResult } from '../result/run-result.ts';
import type { Comparison, RunResult } from '../result/run-result.ts';
import { peerVersion } from '../stand/peers.ts';
import { hindranceLine, saturated } from './bottleneck.ts';
import type { Contestant } from './contestants.ts';
import type { Figures } from './figures.ts';
import type { CompareOptions } from './options.ts';
import type { Ratio } from './ratio.ts';

/** Returns the result of a run in which nothing was measured yet. */
export function newResult(
  args: readonly string[],
  { pace, depths }: CompareOptions,
  present: readonly Contestant[],
): RunResult {
  const peers = present.flatMap(({ peer }) => (peer ? [peer] : []));
  const names = present.map(({ name }) => name).join(', ');
  return emptyResult({
    kind: 'compare',
    title: `${names}: ${grouped(pace.clients)} clients in turns`,
    command: `npm run compare${args.length > 0 ? ` -- ${args.join(' ')}` : ''}`,
    environment: environment('loopback', {
      ...Object.fromEntries(peers.map((peer) => [peer.name, peerVersion(peer)])),
    }),
    target: names,
    settings: {
      clients: pace.clients,
      depth: depths.join(','),
      seconds: pace.windowMs / 1000,
      warmup: pace.warmupMs / 1000,
      rounds: pace.rounds,
      retries: pace.retries,
    },
  });
}

/** Returns what was measured, as a result has it; `of` goes before the names where a result has several comparisons. */
export function comparisonOf(medians: readonly Figures[], ratios: readonly Ratio[], of = ''): Comparison {
  const prefix = of === '' ? '' : `${of}: `;
  return {
    contestants: medians.map((figures) => contestantOf(figures, prefix)),
    ratios: ratios.map((ratio) => resultOf(ratio, prefix)),
  };
}

function contestantOf(figures: Figures, prefix: string): Comparison['contestants'][number] {
  return {
    name: prefix + figures.server,
    protocol: figures.protocol,
    depth: figures.depth,
    messagesPerSecond: figures.messagesPerSecond,
    p50Ms: figures.p50Us / 1000,
    p99Ms: figures.p99Us / 1000,
    serverCpuUsPerMessage: figures.serverCpuUsPerMessage,
    cores: figures.cores,
    upstreamConnections: figures.upstreamConnections ?? null,
    saturated: saturated(figures),
  };
}

function resultOf(
  { a, b, ratio, refused, goal, perCpuSecond }: Ratio,
  prefix: string,
): Comparison['ratios'][number] {
  return {
    name: prefix + a.server,
    against: prefix + b.server,
    depth: a.depth,
    ratio: ratio ?? null,
    refused:
      refused.length === 0
        ? null
        : refused.map(({ of, hindrance }) => hindranceLine(hindrance, of)).join('; '),
    goal: goal ?? null,
    perCpuSecond: perCpuSecond ?? null,
  };
}
