import type { RunResult } from '../../result/run-result.ts';
import type { Block, LineChart, Mood, Table, Unit } from '../report-page.ts';
import { curveChart } from '../run/latency-blocks.ts';
import { isWide, momentNote, spanText } from '../run/drawing.ts';
import { roleOf } from '../process-use.ts';
import { momentsOf, secondsOfMoments, type Moment } from '../timeline.ts';
import { countText } from '../../../server/admin/page/format.ts';
import type { Difference } from './differences.ts';
import { judge, judgementText } from './judgement.ts';
import type { Unlike } from './unlike.ts';

const moodOf = { better: 'good', worse: 'bad', same: 'plain' } as const;

/** A table for each group of figures. */
export function differenceBlocks(differences: readonly Difference[]): Table[] {
  const groups = [...new Set(differences.map(({ group }) => group))];
  return groups.map((title) => {
    const moods: Record<string, Mood> = {};
    const rows = differences
      .filter(({ group }) => group === title)
      .map((difference, row) => {
        const { name, a, b, text } = difference;
        moods[`${row},3`] = moodOf[judge(difference)];
        return [name, text(a), text(b), judgementText(difference)];
      });
    return { kind: 'table', title, head: ['', 'A', 'B', 'B is'], rows, moods, numbers: [1, 2] };
  });
}

/** What is not the same about the two, those first that make a comparison doubtful. */
export function unlikeBlocks(unlikes: readonly Unlike[]): Block[] {
  if (unlikes.length === 0) return [];
  const ordered = [...unlikes].sort((one, other) => Number(one.isExpected) - Number(other.isExpected));
  const rows = ordered.map(({ name, a, b }) => [name, a, b]);
  const moods = Object.fromEntries(
    ordered.flatMap(({ isExpected }, row) => (isExpected ? [] : [[`${row},0`, 'warn' as const]])),
  );
  return [{ kind: 'table', title: 'What differs', head: ['', 'A', 'B'], rows, moods, numbers: [] }];
}

/** Both runs in one drawing each. */
export function drawings(a: RunResult, b: RunResult): Block[] {
  const curves = [a, b].flatMap(({ latency }, index) =>
    latency === null ? [] : [{ label: 'AB'[index]!, latency }],
  );
  return [
    ...(curves.length === 2 ? [curveChart('Response times by percentile', curves)] : []),
    ...overTime(a, b, 'p99 over time', 'ms', ({ latencyMs }) => latencyMs?.p99 ?? null),
    ...overTime(a, b, 'Replies per second', 'per second', ({ receivedPerSecond }) => receivedPerSecond),
    ...overTime(a, b, 'Errors per second', 'per second', ({ errorsPerSecond }) => errorsPerSecond),
    ...overTime(a, b, 'CPU of the gateway (cores)', 'cores', (moment) => gatewayUse(moment, 'cores')),
    ...overTime(a, b, 'Memory of the gateway', 'bytes', (moment) => gatewayUse(moment, 'residentBytes')),
  ];
}

function overTime(
  a: RunResult,
  b: RunResult,
  title: string,
  unit: Unit,
  of: (moment: Moment) => number | null,
): LineChart[] {
  const each = Math.max(secondsOfMoments(a), secondsOfMoments(b));
  const lines = [a, b].map((result, index) => {
    const moments = momentsOf(result, each);
    return { label: 'AB'[index]!, xs: moments.map(({ at }) => at), ys: moments.map(of) };
  });
  const values = lines.map(({ ys }) => ys.filter((value) => value !== null && value > 0) as number[]);
  if (!values.some(({ length }) => length > 0)) return [];
  // One that has nothing here is not to look like one that was never seen.
  if (!lines.every(({ ys }) => ys.some((value) => value !== null))) return [];
  const all = values.flat();
  return [
    {
      kind: 'lines',
      ...{ title, x: 'seconds', xs: [], unit, lines },
      logarithmic: unit === 'ms' && isWide(Math.max(...all) / Math.min(...all)),
      summary: lines.map(({ label, ys }) => `${label} ${spanText(unit, ys)}`).join(', '),
      ...momentNote(each, unit === 'per second' ? 'the mean' : 'the highest'),
    },
  ];
}

function gatewayUse({ processes }: Moment, use: 'cores' | 'residentBytes'): number | null {
  const uses = Object.entries(processes).flatMap(([name, used]) =>
    roleOf(name) === 'gateway' ? [used[use]] : [],
  );
  return uses.length === 0 ? null : uses.reduce((sum, value) => sum + value, 0);
}

/** How often each kind of error was seen, where there was one. */
export function errorTable(a: RunResult, b: RunResult): Table[] {
  const kinds = [...new Set([...Object.keys(a.errors), ...Object.keys(b.errors)])];
  const times = ({ errors }: RunResult, kind: string): string => countText(errors[kind] ?? 0);
  const rows = kinds.map((kind) => [kind, times(a, kind), times(b, kind)]);
  if (rows.length === 0) return [];
  return [{ kind: 'table', title: 'Errors by kind', head: ['', 'A', 'B'], rows, numbers: [1, 2] }];
}
