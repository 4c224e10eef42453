import type { Line } from './spans.ts';
import { summaryLines, type Canvas } from './summary.ts';
import { clientTable, poolTable, upstreamTable } from './tables.ts';
import type { TopState } from './top-state.ts';

const leastRows = 4;

const printedClients = 10;

/** Everything, below one another, however many lines that takes, but for clients beyond the first ten. */
export function wholePicture(state: TopState, canvas: Canvas): Line[] {
  const few = tablesOf(state, canvas).map((lines, index, { length }) =>
    index === length - 1 && state.clients?.clients.length ? lines.slice(0, printedClients + 1) : lines,
  );
  return [summaryLines(state, canvas), ...few].flatMap((lines, index) =>
    index === 0 ? lines : [[], ...lines],
  );
}

/** What fits into `height` lines: of each table as much as there is room for, with a word on what is left out. */
export function fittedPicture(state: TopState, canvas: Canvas, height: number): Line[] {
  const picture = [...summaryLines(state, canvas)];
  const tables = tablesOf(state, canvas);
  for (const [index, lines] of tables.entries()) {
    const left = height - picture.length - 1 - keys.length;
    // Each table that comes after has its part, as far as it needs it.
    const others = tables
      .slice(index + 1)
      .reduce((sum, other) => sum + Math.min(other.length, leastRows) + 1, 0);
    const own = Math.max(Math.min(lines.length, leastRows), left - others);
    const shown = cutLines(lines, Math.min(own, left));
    if (shown.length > 0) picture.push([], ...shown);
  }
  while (picture.length < height - keys.length) picture.push([]);
  return [...picture.slice(0, Math.max(0, height - keys.length)), ...keys].slice(0, height);
}

const keys: readonly Line[] = [
  [{ text: 'q quit   clients by: m messages  b bytes  i in flight', style: 'dim' }],
];

function tablesOf(state: TopState, { width }: Canvas): Line[][] {
  if (state.latest === undefined) return [];
  const tables = [poolTable(state, width), upstreamTable(state, width), clientTable(state, width)];
  return tables.filter((lines) => lines.length > 0);
}

function cutLines(lines: readonly Line[], height: number): Line[] {
  if (lines.length <= height) return [...lines];
  // A title and how many there are say nothing.
  if (height < 3) return [];
  const rows = lines.slice(0, height - 1);
  return [...rows, [{ text: `… ${lines.length - rows.length} more`, style: 'dim' }]];
}
