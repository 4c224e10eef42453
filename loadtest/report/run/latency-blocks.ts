import type { LatencyFigures, RunResult } from '../../result/run-result.ts';
import type { Block, LineChart, Mood, Table } from '../report-page.ts';
import { momentsOf, secondsOfMoments } from '../timeline.ts';
import { countText } from '../../../server/admin/page/format.ts';
import { msText, percentileText } from '../unit-text.ts';
import { isWide, momentNote, spanText } from './drawing.ts';

const shownPercentiles = ['50', '75', '90', '95', '99', '99.9', '99.99', '100'];
/** A percentile with fewer records beyond it is a matter of chance. */
const fewRecords = 10;

/** How long replies and handshakes took: tables, the curve, and second by second. */
export function latencyBlocks(result: RunResult): Block[] {
  const { latency, handshake } = result;
  return [
    ...(latency === null ? [] : [percentileTable('Percentiles', latency, result.latencyGoalsMs)]),
    ...(latency === null
      ? []
      : [curveChart('Response times by percentile', [{ label: 'replies', latency }])]),
    ...overTime(result),
    ...(handshake === null
      ? []
      : [
          percentileTable('Handshakes', handshake, {}),
          curveChart('Handshakes by percentile', [{ label: 'handshakes', latency: handshake }]),
        ]),
  ];
}

/** The template's table: percentile, time, goal and state; without the last two where nobody set a goal. */
function percentileTable(
  title: string,
  latency: LatencyFigures,
  goalsMs: Readonly<Record<string, number>>,
): Table {
  const { percentilesMs, count } = latency;
  const withGoal = Object.keys(goalsMs);
  const percentiles = Object.keys(percentilesMs)
    .filter((percentile) => shownPercentiles.includes(percentile) || withGoal.includes(percentile))
    .sort((one, other) => Number(one) - Number(other));
  const moods: Record<string, Mood> = {};
  const rows = percentiles.map((percentile, row) => {
    const ms = percentilesMs[percentile]!;
    const goalMs = goalsMs[percentile];
    const plain = [percentileText(percentile), msText(ms)];
    if (withGoal.length === 0) return plain;
    if (goalMs === undefined) return [...plain, '', ''];
    const passed = ms < goalMs;
    moods[`${row},3`] = passed ? 'good' : 'bad';
    return [...plain, `< ${msText(goalMs)}`, passed ? 'met' : 'missed'];
  });
  const head = withGoal.length === 0 ? ['Percentile', 'Time'] : ['Percentile', 'Time', 'Goal', 'State'];
  return { kind: 'table', title, head, rows, moods, numbers: [1, 2], note: restsOn(percentiles, count) };
}

function restsOn(percentiles: readonly string[], count: number): string {
  const measured = `Of ${countText(count)}.`;
  const rests = (percentile: string): number => Math.round(count * (1 - Number(percentile) / 100));
  const [few] = percentiles.filter((percentile) => percentile !== '100' && rests(percentile) < fewRecords);
  if (few === undefined) return measured;
  return `${measured} From ${few} % on, fewer than ${fewRecords} were slower: a matter of chance.`;
}

/** The whole distribution, stretched towards 100 %. */
export function curveChart(
  title: string,
  curves: readonly { readonly label: string; readonly latency: LatencyFigures }[],
): LineChart {
  const lines = curves.map(({ label, latency }) => ({
    label,
    xs: latency.curve.map(([percentile]) => nines(percentile, latency.count)),
    ys: latency.curve.map(([, ms]) => ms),
  }));
  const spread = Math.max(...curves.map(({ latency }) => latency.maxMs / (latency.percentilesMs['50'] ?? 1)));
  return {
    kind: 'lines',
    ...{ title, x: 'nines', xs: [], unit: 'ms', lines, logarithmic: isWide(spread) },
    summary: curves.map(({ label, latency }) => `${label}: ${percentilesText(latency)}`).join('; '),
    note: 'Read it as: so many percent took at most so long. To the right, each step is a tenth of what is left to 100 %.',
  };
}

/** The distance to 100 %, in powers of ten: 90 % is 1, 99 % is 2; the slowest of n stands where 1 in n does. */
function nines(percentile: number, count: number): number {
  const last = Math.log10(Math.max(count, 10));
  return percentile >= 100 ? last : Math.min(last, -Math.log10(1 - percentile / 100));
}

function percentilesText({ percentilesMs }: LatencyFigures): string {
  return ['50', '99', '99.9', '100']
    .flatMap((percentile) =>
      percentilesMs[percentile] === undefined
        ? []
        : [`${percentileText(percentile)} in ${msText(percentilesMs[percentile])}`],
    )
    .join(', ');
}

function overTime(result: RunResult): LineChart[] {
  const moments = momentsOf(result);
  const measured = moments.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  if (measured.length === 0) return [];
  const names = ['p50', 'p95', 'p99', 'max'] as const;
  const lines = names.map((name) => ({
    label: name,
    ys: moments.map(({ latencyMs }) => latencyMs?.[name] ?? null),
  }));
  const spread = Math.max(...measured.map(({ max }) => max)) / Math.min(...measured.map(({ p50 }) => p50));
  return [
    {
      kind: 'lines',
      ...{ title: 'Response times over time', x: 'seconds', xs: moments.map(({ at }) => at), unit: 'ms' },
      ...{ lines, logarithmic: isWide(spread), wide: true },
      summary: lines.map(({ label, ys }) => `${label} ${spanText('ms', ys)}`).join(', '),
      ...momentNote(secondsOfMoments(result), 'the highest'),
    },
  ];
}
