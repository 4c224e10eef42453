import type { WriteStream } from 'node:tty';
import { progressLine } from '../stand/progress.ts';
import { grouped, milliseconds } from '../result/grouped.ts';
import type { SecondFigures } from './load-figures.ts';

const barCells = 24;
const usualColumns = 80;
const terminalEveryMs = 200;
const plainEveryMs = 5_000;

/** Where a run is. */
export interface Step {
  readonly what: string;
  /** 0 to 1; undefined where nobody knows. */
  readonly share?: number;
  readonly details: readonly string[];
}

type Terminal = Pick<WriteStream, 'isTTY' | 'write'> & { readonly columns?: number };

/** Shows how far a run is: a bar on a terminal, elsewhere a line every few seconds and at each beginning. */
export class Progress {
  readonly #stream: Terminal;
  readonly #now: () => number;
  readonly #line: ReturnType<typeof progressLine>;
  #shownMs = -Infinity;
  #shownWhat = '';

  constructor(stream: Terminal, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
    this.#line = progressLine(stream);
  }

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

/** Returns one line of at most so many columns, less one for the cursor. */
export function barText({ what, share, details }: Step, columns: number): string {
  const filled = Math.round(barCells * Math.min(1, Math.max(0, share ?? 0)));
  const bar = share === undefined ? '' : ` [${'#'.repeat(filled)}${'.'.repeat(barCells - filled)}]`;
  const whole = `${what}${bar} ${details.join(' · ')}`.trimEnd();
  if (whole.length < columns) return whole;
  // The figures matter more than the bar.
  return `${what} ${details.join(' · ')}`.slice(0, Math.max(1, columns - 1));
}

function plainText({ what, details }: Step): string {
  return details.length === 0 ? `${what} …` : `${what}: ${details.join(', ')}`;
}

/** Clients that connect: how many are there, how fast, and how long it will take. */
export function connectingStep(open: number, failed: number, wanted: number, elapsedMs: number): Step {
  const perSecond = (open + failed) / Math.max(0.001, elapsedMs / 1_000);
  const left = wanted - open - failed;
  return {
    what: 'connecting',
    share: (open + failed) / wanted,
    details: [
      `${grouped(open)} of ${grouped(wanted)}`,
      `${grouped(perSecond)}/s`,
      ...(failed > 0 ? [`${grouped(failed)} failed`] : []),
      ...(perSecond > 0 ? [left > 0 ? `${grouped(Math.ceil(left / perSecond))} s left` : 'all there'] : []),
    ],
  };
}

export interface LoadMoment {
  readonly name: string;
  readonly elapsedMs: number;
  readonly durationMs: number;
  /** The last second. */
  readonly last: SecondFigures | undefined;
  /** Until now. */
  readonly errors: number;
}

/** A load on its way. */
export function loadingStep({ name, elapsedMs, durationMs, last, errors }: LoadMoment): Step {
  const leftMs = durationMs - elapsedMs;
  const left = leftMs > 0 ? `${grouped(Math.ceil(leftMs / 1_000))} s left` : 'waiting for the last replies';
  const p99 = last && last.latency.count > 0 ? last.latency.quantileUs(0.99) / 1_000 : undefined;
  return {
    what: name,
    share: elapsedMs / durationMs,
    details: [
      left,
      ...(last === undefined ? [] : [`${grouped(last.received)}/s`]),
      ...(p99 === undefined ? [] : [`p99 ${milliseconds(p99)}`]),
      `${grouped(errors)} errors`,
    ],
  };
}
