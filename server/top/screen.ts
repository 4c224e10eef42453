import type { ReadStream, WriteStream } from 'node:tty';

/** What a screen needs of the terminal: `process.stdout`, and `process.stdin` where somebody types at it. */
export interface ScreenOptions {
  readonly output: WriteStream;
  readonly input: ReadStream | undefined;
  readonly onKey: (key: string) => void;
  readonly onResize: () => void;
}

const enter = '\x1b[?1049h\x1b[?25l\x1b[2J';
const leave = '\x1b[?25h\x1b[?1049l';

/** The whole terminal, as long as it is open; `close` gives it back as it was. */
export class Screen {
  readonly #options: ScreenOptions;
  #open = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
  }

  get width(): number {
    return this.#options.output.columns || 80;
  }

  get height(): number {
    return this.#options.output.rows || 24;
  }

  open(): void {
    if (this.#open) return;
    this.#open = true;
    const { output, input, onResize } = this.#options;
    output.write(enter);
    output.on('resize', onResize);
    if (input === undefined) return;
    input.setRawMode(true);
    input.setEncoding('utf8');
    input.on('data', this.#onData);
    input.resume();
  }

  /** Shows these lines from the top; they are as wide as the screen at most. */
  draw(lines: readonly string[]): void {
    if (!this.#open) return;
    const text = lines.slice(0, this.height).map((line) => `${line}\x1b[K`);
    this.#options.output.write(`\x1b[H${text.join('\r\n')}\x1b[J`);
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    const { output, input, onResize } = this.#options;
    output.off('resize', onResize);
    if (input !== undefined) {
      input.off('data', this.#onData);
      input.setRawMode(false);
      input.pause();
    }
    output.write(leave);
  }

  readonly #onData = (text: string | Buffer): void => {
    // Arrows and the like come as an escape and more.
    if (!text.toString().startsWith('\x1b')) for (const key of text.toString()) this.#options.onKey(key);
  };
}
