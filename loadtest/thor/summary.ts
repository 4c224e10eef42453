import { aligned } from '../result/aligned.ts';
import { grouped } from '../result/grouped.ts';
import type { LatencyFigures, RunResult } from '../result/run-result.ts';
import { adviceFor } from './advice.ts';

const shownPercentiles = ['50', '66', '75', '80', '90', '95', '98', '99', '99.9', '100'];
const byteUnits = ['bytes', 'kB', 'MB', 'GB', 'TB'];
const labelWidth = 19;

/** Returns thor's summary of a run. Where no connection was made there is nothing to put in a table, and only the errors are told. */
export function summaryText(result: RunResult, examples: Readonly<Record<string, string>>): string {
  const { totals } = result;
  const errors = errorLines(result.errors, examples);
  if (totals === null || totals.connected === 0)
    return ['No connection was made: nothing was measured.', ...errors].join('\n');
  const rows: [string, string][] = [
    ['Online', `${grouped(Math.round(totals.onlineMs))} milliseconds`],
    ['Time taken', `${grouped(Math.round(result.seconds * 1_000))} milliseconds`],
    ['Connected', grouped(totals.connected)],
    ['Disconnected', grouped(totals.disconnected)],
    ['Failed', grouped(totals.failed)],
    ['Messages', messagesText(result, totals)],
    ['Total transferred', bytesText(totals.bytesSent)],
    ['Total received', bytesText(totals.bytesReceived)],
  ];
  const kinds: [string, LatencyFigures | null][] = [
    ['Handshaking', result.handshake],
    ['Latency', result.latency],
  ];
  return [
    ...rows.map(([label, value]) => `${label.padEnd(labelWidth)}  ${value}`),
    '\nDurations (ms):\n',
    aligned([['', 'min', 'mean', 'stddev', 'median', 'max'], ...kinds.map(durations)]),
    '\nPercentile (ms):\n',
    aligned([['', ...shownPercentiles.map((percentile) => `${percentile}%`)], ...kinds.map(percentiles)]),
    ...(result.latency === null ? ['\nNo reply came: there is no latency.'] : []),
    ...errors,
  ].join('\n');
}

/** Those of connections that failed or were lost are never sent, and are nowhere among the errors. */
function messagesText(
  { settings, target }: RunResult,
  { sent, received }: NonNullable<RunResult['totals']>,
): string {
  const planned = Number(settings['amount']) * Number(settings['messages']) * target.split(' ').length;
  const unsent = planned > sent ? `, ${grouped(planned - sent)} never sent` : '';
  return `${grouped(sent)} sent, ${grouped(received)} answered rightly${unsent}`;
}

function durations([label, figures]: [string, LatencyFigures | null]): string[] {
  if (figures === null) return [label, ...Array<string>(5).fill('-')];
  const { minMs, meanMs, stddevMs, maxMs, percentilesMs } = figures;
  return [label, ...[minMs, meanMs, stddevMs, percentilesMs['50']!, maxMs].map(msText)];
}

function percentiles([label, figures]: [string, LatencyFigures | null]): string[] {
  if (figures === null) return [label, ...shownPercentiles.map(() => '-')];
  return [label, ...shownPercentiles.map((percentile) => msText(figures.percentilesMs[percentile]!))];
}

/** The most frequent first, with the first one in full and what may be done. */
function errorLines(errors: RunResult['errors'], examples: Readonly<Record<string, string>>): string[] {
  const kinds = Object.entries(errors).sort(([, one], [, other]) => other - one);
  if (kinds.length === 0) return [];
  const width = Math.max(...kinds.map(([, count]) => grouped(count).length));
  const indent = ' '.repeat(width + 5);
  return [
    '\nReceived errors:\n',
    ...kinds.flatMap(([kind, count]) => [
      `  ${grouped(count).padStart(width)}x  ${kind}`,
      ...(examples[kind] === undefined || examples[kind] === kind
        ? []
        : [`${indent}the first: ${examples[kind]}`]),
      ...(adviceFor(kind) === undefined ? [] : [`${indent}${adviceFor(kind)}`]),
    ]),
  ];
}

/** Four digits that mean something, as far as there are any: below a millisecond too. */
export function msText(ms: number): string {
  return ms.toFixed(ms < 10 ? 3 : ms < 100 ? 2 : ms < 1_000 ? 1 : 0);
}

function bytesText(bytes: number): string {
  let [value, unit] = [bytes, 0];
  while (value >= 1_000 && unit < byteUnits.length - 1) [value, unit] = [value / 1_000, unit + 1];
  return `${unit === 0 ? value : value.toFixed(2)} ${byteUnits[unit]}`;
}
