import type { WriteStream } from 'node:tty';
import { progressLine, type ProgressLine } from './progress.ts';

const cells = 24;
const usualColumns = 80;
const terminalEveryMs = 200;
const plainEveryMs = 5_000;
const between = ' · ';

/** Where a run is. */
export interface Step {
  readonly what: string;
  /** 0 to 1; undefined where nobody knows. */
  readonly share?: number;
  readonly details: readonly string[];
}

type Terminal = Pick<WriteStream, 'isTTY' | 'write'> & { readonly columns?: number };

/** Shows how far a run is: a bar on a terminal, elsewhere a line every few seconds and at each beginning. */
export class ProgressBar {
  readonly #stream: Terminal;
  readonly #now: () => number;
  readonly #line: ProgressLine;
  #shownMs = -Infinity;
  #shownWhat = '';

  constructor(stream: Terminal, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
    this.#line = progressLine(stream);
  }

  /** May be called as often as anything changes. */
  show(step: Step): void {
    const nowMs = this.#now();
    const everyMs = this.#stream.isTTY ? terminalEveryMs : plainEveryMs;
    if (step.what === this.#shownWhat && nowMs - this.#shownMs < everyMs) return;
    this.#shownMs = nowMs;
    this.#shownWhat = step.what;
    this.#line.show(this.#stream.isTTY ? barText(step, this.#columns) : plainText(step));
  }

  /** Some terminals say that they have none. */
  get #columns(): number {
    const { columns = 0 } = this.#stream;
    return columns > 0 ? columns : usualColumns;
  }

  clear(): void {
    this.#line.clear();
  }

  /** Prints to standard output, above the bar. */
  print(text: string): void {
    this.#line.print(text);
  }
}

/** Returns one line of at most so many columns, less one for the cursor; what does not fit is left out, and never half of a figure. */
export function barText({ what, share, details }: Step, columns: number): string {
  const known = share === undefined ? '' : ` ${barOf(share)} ${percent(share).padStart(5)}`;
  const bar = known === '' && details.length === 0 ? ' …' : known;
  const whole = [what + bar, ...details].join(between);
  if (whole.length < columns) return whole;
  // The figures matter more than the bar.
  let line = what.slice(0, Math.max(0, columns - 1));
  for (const detail of share === undefined ? details : [percent(share), ...details]) {
    const longer = line + between + detail;
    if (longer.length >= columns) break;
    line = longer;
  }
  return line;
}

function plainText({ what, share, details }: Step): string {
  const figures = [...(share === undefined ? [] : [percent(share)]), ...details];
  return figures.length === 0 ? `${what} …` : `${what}: ${figures.join(', ')}`;
}

function barOf(share: number): string {
  return '█'.repeat(Math.floor(within(share) * cells)).padEnd(cells, '░');
}

/** All of it only when it is all. */
function percent(share: number): string {
  return `${Math.floor(within(share) * 100)} %`;
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}
