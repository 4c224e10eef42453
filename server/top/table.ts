import { cut, type Line, type Span } from './spans.ts';

export interface Column<Row> {
  readonly title: string;
  /** Text begins at the left, figures end at the right. */
  readonly align: 'left' | 'right';
  /** Where there is too little room, the column with the highest number goes first; one without stays. */
  readonly dropAs?: number;
  /** Its cells may be cut to so many columns of the terminal, before any column goes. */
  readonly least?: number;
  readonly cell: (row: Row) => Span;
}

const gap = 2;

/** Rows in columns, under their titles, in at most `width`, as long as no more than what may go has to. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[], width: number): Line[] {
  const cells = rows.map((row) => columns.map(({ cell }) => cell(row)));
  const wanted = columns.map(({ title }, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]!.text.length)),
  );
  const least = columns.map((column, index) => Math.min(wanted[index]!, column.least ?? Infinity));
  const shown = columnsThatFit(columns, least, width);
  const widths = shareOut(shown, { least, wanted, width });
  const lineOf = (spans: readonly Span[]): Line =>
    shown.flatMap((index, place) => {
      const { text, style = 'plain' } = spans[index]!;
      const within = cut(text, widths[index]!);
      const padding = ' '.repeat(widths[index]! - within.length);
      const padded = columns[index]!.align === 'left' ? within + padding : padding + within;
      return [{ text: place === 0 ? '' : ' '.repeat(gap) }, { text: padded, style }];
    });
  const titles = columns.map(({ title }): Span => ({ text: title, style: 'title' }));
  return [lineOf(titles), ...cells.map(lineOf)];
}

/** The places of the columns that there is room for. */
function columnsThatFit<Row>(
  columns: readonly Column<Row>[],
  least: readonly number[],
  width: number,
): number[] {
  let shown = columns.map((_, index) => index);
  while (taken(shown, least) > width) {
    const drops = shown.map((index) => columns[index]!.dropAs ?? 0);
    const highest = Math.max(...drops);
    if (highest === 0) break;
    shown = shown.toSpliced(drops.indexOf(highest), 1);
  }
  return shown;
}

/** Gives what is left to those that want more than the least, one after the other. */
function shareOut(
  shown: readonly number[],
  {
    least,
    wanted,
    width,
  }: { readonly least: readonly number[]; readonly wanted: readonly number[]; readonly width: number },
): number[] {
  const widths = [...least];
  for (const index of shown) {
    const left = width - taken(shown, widths);
    widths[index]! += Math.min(Math.max(0, left), wanted[index]! - least[index]!);
  }
  return widths;
}

function taken(shown: readonly number[], widths: readonly number[]): number {
  return shown.reduce((sum, index) => sum + widths[index]! + gap, -gap);
}
