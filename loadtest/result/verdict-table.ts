import type { Verdict } from './run-result.ts';

const cellChars = 72;

/** A verdict, or why there is none. */
type Judged = Omit<Verdict, 'passed'> & { readonly passed: boolean | null };

/** Returns what was expected and what was measured, with a mark before each; long texts go on below themselves. */
export function verdictTable(judgements: readonly Judged[]): string {
  const blocks = judgements.map(({ expectation, measured, passed }) => ({
    mark: passed === null ? '–' : passed ? 'passed' : 'FAILED',
    lines: [wrapped(expectation), wrapped(measured)] as const,
  }));
  const width = Math.max(
    'expectation'.length,
    ...blocks.flatMap(({ lines: [left] }) => left.map((line) => line.length)),
  );
  const rows = blocks.flatMap(({ mark, lines: [left, right] }) =>
    Array.from({ length: Math.max(left.length, right.length) }, (_, i) =>
      row(i === 0 ? mark : '', left[i] ?? '', right[i] ?? '', width),
    ),
  );
  return [row('', 'expectation', 'measured', width), ...rows].join('\n');
}

function row(mark: string, expectation: string, measured: string, width: number): string {
  return `  ${mark.padEnd(6)}  ${expectation.padEnd(width)}  ${measured}`.trimEnd();
}

/** The text in lines of at most so many characters; a longer word stays whole. */
function wrapped(text: string): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!;
    if (last === '') lines[lines.length - 1] = word;
    else if (last.length + word.length < cellChars) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
