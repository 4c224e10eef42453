import { aligned } from '../result/aligned.ts';
import { grouped } from '../result/grouped.ts';
import { hindranceLine, isNoisy, remedies, saturated } from './bottleneck.ts';
import type { Figures } from './figures.ts';
import { verdictOf } from './ratio.ts';
import type { Ratio } from './ratio.ts';

const columns = [
  '',
  'messages/s',
  'p50 ms',
  'p99 ms',
  'µs CPU/msg',
  'cores: loader',
  'server',
  'backend',
  'others',
  'upstream',
  'saturated',
];

/** Returns one line: what was compared, the ratio of round trips per second or why there is none, the goal, and the ratio of CPU per message. */
export function ratioLine(subject: string, ratio: Ratio, clients: number): string {
  const { a, b } = ratio;
  return `${subject} ÷ ${b.server}, depth ${a.depth}, ${grouped(clients)} clients: ${judged(ratio)}`;
}

/** Returns all ratios of one load as aligned columns; those that were refused say why, and what to do stands below. */
export function ratioTable(ratios: readonly Ratio[]): string {
  const rows = ratios.map((ratio) => [`${ratio.a.server} ÷ ${ratio.b.server}`, judged(ratio)]);
  const width = Math.max(...rows.map(([name]) => name!.length));
  const lines = rows.map(([name, text]) => `  ${name!.padEnd(width)}  ${text}`);
  return [...lines, ...remediesFor(ratios)].join('\n');
}

/** What to do so that ratios that were refused are none any more, once for each cause. */
export function remediesFor(ratios: readonly Ratio[]): string[] {
  const causes = new Set(ratios.flatMap(({ refused }) => refused.map(({ hindrance }) => hindrance)));
  return [...causes].map((cause) => `  ${remedies[cause]}`);
}

/** Returns figures as aligned columns under a header. */
export function figuresTable(figures: readonly Figures[]): string {
  const table = aligned([columns, ...figures.map(row)]);
  return figures.some(isNoisy)
    ? `${table}\n  Other programs were using the machine: do not trust these figures.`
    : table;
}

/** Returns one line about one run. */
export function runLine(figures: Figures): string {
  return `${figures.server}, depth ${figures.depth}: ${grouped(figures.messagesPerSecond)} messages/s`;
}

function judged(ratio: Ratio): string {
  const cpu =
    ratio.perCpuSecond === undefined ? '' : `; messages per CPU second ${ratio.perCpuSecond.toFixed(2)}×`;
  if (ratio.ratio === undefined) {
    const why = ratio.refused.map(({ of, hindrance }) => hindranceLine(hindrance, of));
    return `no ratio (${why.join('; ')})${cpu}`;
  }
  const wanted =
    ratio.goal === undefined ? 'no goal' : `goal ≥ ${ratio.goal.toFixed(2)}: ${verdictOf(ratio)}`;
  return `${ratio.ratio.toFixed(2)}× (${wanted})${cpu}`;
}

function row(figures: Figures): string[] {
  const { cores } = figures;
  return [
    figures.server,
    grouped(figures.messagesPerSecond),
    (figures.p50Us / 1000).toFixed(2),
    (figures.p99Us / 1000).toFixed(2),
    figures.serverCpuUsPerMessage.toFixed(2),
    cores.loader.toFixed(2),
    cores.server.toFixed(2),
    cores.backend.toFixed(2),
    cores.others.toFixed(2),
    figures.upstreamConnections === undefined ? '–' : grouped(figures.upstreamConnections),
    saturated(figures),
  ];
}
