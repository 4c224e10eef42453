import type { RunResult } from '../../result/run-result.ts';
import type { Block, Mood, Table } from '../report-page.ts';
import { nsText } from '../unit-text.ts';

type Bench = RunResult['benches'][number];

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

function tableOf(title: string, benches: readonly Bench[]): Table {
  const withGoal = benches.some(({ goalNs }) => goalNs !== null);
  const withSeed = benches.some(({ seedNs }) => seedNs !== null);
  const moods: Record<string, Mood> = {};
  const rows = benches.map(({ name, ns, goalNs, seedNs }, row) => {
    if (goalNs !== null) moods[`${row},3`] = ns <= goalNs ? 'good' : 'bad';
    const goal = goalNs === null ? ['', ''] : [`≤ ${nsText(goalNs)}`, ns <= goalNs ? 'met' : 'missed'];
    return [name, nsText(ns), ...(withGoal ? goal : []), ...(withSeed ? seedCells(ns, seedNs) : [])];
  });
  const head = [
    ...['', 'Time'],
    ...(withGoal ? ['Goal', 'State'] : []),
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
