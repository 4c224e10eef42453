import { printable } from '../report/printable.ts';

const mostChars = 200;

/** What a server said, in one line, shortened, without what could steer a terminal. */
export function shown(text: string): string {
  const line = printable(
    text
      .slice(0, mostChars)
      .trimEnd()
      .replace(/[\r\n]+/g, ' · '),
  );
  return text.length > mostChars ? `${line} …` : line;
}
