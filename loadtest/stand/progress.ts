import type { WriteStream } from 'node:tty';

const lineStart = '\r\x1b[K';

export interface ProgressLine {
  readonly show: (text: string) => void;
  readonly clear: () => void;
  /** Prints to standard output, above the progress line. */
  readonly print: (text: string) => void;
}

/** A line on a terminal that is overwritten; where there is no terminal, one plain line after another. */
export function progressLine(stream: Pick<WriteStream, 'isTTY' | 'write'>): ProgressLine {
  const clear = (): void => {
    if (stream.isTTY) stream.write(lineStart);
  };
  return {
    show: (text) => void stream.write(stream.isTTY ? lineStart + text : `${text}\n`),
    clear,
    print(text) {
      clear();
      console.log(text);
    },
  };
}
