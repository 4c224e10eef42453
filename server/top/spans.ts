/** How a piece of text looks, where colours are wanted. */
export type Style = 'plain' | 'bold' | 'dim' | 'title' | 'good' | 'warn' | 'bad';

/** Text of one look. */
export interface Span {
  readonly text: string;
  readonly style?: Style;
}

/** One line of the screen. */
export type Line = readonly Span[];

const codes: Readonly<Record<Style, string>> = {
  plain: '',
  bold: '1',
  dim: '2',
  title: '1;36',
  good: '32',
  warn: '33',
  bad: '1;31',
};

/** All that ever reaches the terminal: printable ASCII, and what this program draws with; each takes one column. */
const unprintable = /[^\x20-\x7e▁▂▃▄▅▆▇█…]/g;

/** What is anything else becomes a question mark: a gateway, or who speaks to it, has no way to steer the terminal. */
export function printable(text: string): string {
  return text.replace(unprintable, '?');
}

/** At most `width` columns of a text; what is cut ends in an ellipsis. */
export function cut(text: string, width: number): string {
  if (text.length <= width) return text;
  return width < 1 ? '' : `${text.slice(0, width - 1)}…`;
}

/** What a terminal can show. */
export interface Look {
  readonly colours: boolean;
  readonly unicode: boolean;
}

/** A line as the terminal gets it, at most `width` columns wide. */
export function paint(line: Line, width: number, { colours, unicode }: Look): string {
  let left = width;
  let painted = '';
  for (const { text, style = 'plain' } of line) {
    const fitting = cut(printable(text), left);
    const shown = unicode ? fitting : fitting.replaceAll('…', '~');
    left -= shown.length;
    const code = colours && shown !== '' ? codes[style] : '';
    painted += code === '' ? shown : `\x1b[${code}m${shown}\x1b[0m`;
  }
  return painted.trimEnd();
}

/** How many columns a line takes. */
export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}
