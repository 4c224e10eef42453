import type { RunResult } from '../../result/run-result.ts';
import { roleOf } from '../process-use.ts';
import type { Block, Line, LineChart } from '../report-page.ts';
import { momentsOf, secondsOfMoments, type Moment } from '../timeline.ts';
import { momentNote, spanText } from './drawing.ts';

/** More lines than this cannot be told apart: processes that do the same then have one together. */
const mostLines = 6;
type Use = 'cores' | 'residentBytes';

/** CPU and memory of each process, second by second; nothing where no process could be seen. */
export function processBlocks(result: RunResult): Block[] {
  const moments = momentsOf(result);
  const names = [...new Set(moments.flatMap(({ processes }) => Object.keys(processes)))];
  if (names.length === 0) return [];
  const groups = names.length <= mostLines ? names.map((name) => [name]) : byRole(names);
  const chart = (title: string, unit: 'cores' | 'bytes', use: Use): LineChart => {
    const lines = groups.map((group) => lineOf(group, moments, use));
    return {
      kind: 'lines',
      ...{ title, x: 'seconds', xs: moments.map(({ at }) => at), unit, lines, logarithmic: false },
      summary: lines.map(({ label, ys }) => `${label} ${spanText(unit, ys)}`).join(', '),
      ...momentNote(secondsOfMoments(result), 'the most'),
    };
  };
  return [chart('CPU (cores)', 'cores', 'cores'), chart('Memory (resident)', 'bytes', 'residentBytes')];
}

function byRole(names: readonly string[]): string[][] {
  const groups = new Map<string, string[]>();
  for (const name of names) groups.set(roleOf(name), [...(groups.get(roleOf(name)) ?? []), name]);
  return [...groups.values()];
}

function lineOf(group: readonly string[], moments: readonly Moment[], use: Use): Line {
  const [first] = group;
  return {
    label: group.length === 1 ? first! : `${roleOf(first!)} (${group.length} processes)`,
    ys: moments.map(({ processes }) => {
      const uses = group.flatMap((name) => (processes[name] === undefined ? [] : [processes[name][use]]));
      return uses.length === 0 ? null : uses.reduce((sum, value) => sum + value, 0);
    }),
  };
}
