import { microGroups } from '../../loadtest/bench/micro/groups.ts';
import { disturbedLine } from '../../loadtest/bench/micro/measure-group.ts';
import { microCells, microColumns, seedNote } from '../../loadtest/bench/micro/table.ts';
import type { RunResult } from '../../loadtest/result/run-result.ts';
import { markdownTable } from './markdown.ts';

/** Returns one table of all benches, with a row for the name of each group. */
export function microSections({ benches, settings }: RunResult): string[] {
  const groups = [...new Set(benches.map(({ group }) => group))];
  const rows = groups.flatMap((group) => [
    [`**${whatOf(group)}** (\`${group}\`)`, ...microColumns.slice(1).map(() => '')],
    ...benches.filter((bench) => bench.group === group).map(microCells),
  ]);
  const doubt = disturbedLine(Number(settings['otherCores'] ?? 0));
  return [
    `Medians, in a process for each group; \`npm run bench -- metrics\` is one group alone.${doubt === '' ? '' : ` **${doubt}**`}\n\n${seedNote}`,
    markdownTable(microColumns, rows),
  ];
}

function whatOf(group: string): string {
  return microGroups.find(({ name }) => name === group)?.what ?? group;
}
