import type { MicroBench, RunResult } from '../../result/run-result.ts';
import type { Block, Mood, Table } from '../report-page.ts';
import { nsText } from '../unit-text.ts';

/** The micro-benches, a table for each group, beside their goals and what the guides say. */
export function benchBlocks({ benches }: RunResult): Block[] {
  const groups = [...new Set(benches.map(({ group }) => group))];
  return groups.map((group) =>
    tableOf(
      group,
      benches.filter((bench) => bench.group === group),
    ),
  );
}

function tableOf(title: string, benches: readonly MicroBench[]): Table {
  const withGoal = benches.some(({ goalNs }) => goalNs !== null);
  const withSeed = benches.some(({ seedNs }) => seedNs !== null);
  const withBytes = benches.some(({ bytes }) => bytes !== undefined);
  const moods: Record<string, Mood> = {};
  const rows = benches.map((bench, row) => {
    const { name, ns, goalNs, seedNs } = bench;
    if (goalNs !== null) moods[`${row},3`] = ns <= goalNs ? 'good' : 'bad';
    const goal = goalNs === null ? ['', ''] : [`≤ ${nsText(goalNs)}`, ns <= goalNs ? 'met' : 'missed'];
    return [
      ...[name, nsText(ns)],
      ...(withGoal ? goal : []),
      ...(withBytes ? byteCells(bench) : []),
      ...(withSeed ? seedCells(ns, seedNs) : []),
    ];
  });
  const head = [
    ...['', 'Time'],
    ...(withGoal ? ['Goal', 'State'] : []),
    ...(withBytes ? ['MB/s', 'Smaller'] : []),
    ...(withSeed ? ['The guide says', 'Ratio'] : []),
  ];
  const numbers = head.flatMap((name, index) => (index > 0 && name !== 'State' ? [index] : []));
  return { kind: 'table', title, head, rows, moods, numbers };
}

function seedCells(ns: number, seedNs: number | null): string[] {
  if (seedNs === null) return ['', ''];
  const ratio = seedNs / ns;
  const times = (value: number): string => `${value < 9.95 ? value.toFixed(1) : Math.round(value)}×`;
  return [nsText(seedNs), ratio >= 1 ? `${times(ratio)} faster` : `${times(1 / ratio)} slower`];
}

/** How much of it goes through in a second, and how much smaller it gets, beside what the guide says. */
function byteCells({ ns, bytes, smaller, seedSmaller }: MicroBench): string[] {
  const times = smaller === undefined ? '' : `${smaller.toFixed(2)}×`;
  const guide = seedSmaller === undefined ? '' : ` (guide: ${seedSmaller.toFixed(2)}×)`;
  return [bytes === undefined ? '' : ((bytes / ns) * 1_000).toFixed(1), `${times}${guide}`];
}
