import { Buffer, isUtf8 } from 'node:buffer';

const newline = 0x0a;
const carriageReturn = 0x0d;
const quote = 0x22;
const maxLineBytes = 1_048_576;
/** The trainer looks at no more of a sample. */
const maxSampleBytes = 131_072;

export interface SampleLimits {
  readonly maxSamples: number;
  readonly maxTotalBytes: number;
}

/** What was read so far. */
export interface SampleCounts {
  readonly lines: number;
  readonly bytes: number;
  /** Lines that are no message: a JSON string that does not end, bytes that are not UTF-8, over 1 MiB. */
  readonly unreadable: number;
}

/**
 * Collects messages, one a line, within bounds: when there are too many it keeps every second of them, then every fourth, and
 * so on, so that what is left comes from the whole input. Empty lines are no messages.
 */
export class SampleCollector {
  readonly #limits: SampleLimits;
  #samples: Buffer[] = [];
  #sampleBytes = 0;
  #stride = 1;
  #messages = 0;
  #lines = 0;
  #bytes = 0;
  #unreadable = 0;
  #line: Buffer[] = [];
  #lineBytes = 0;

  constructor(limits: SampleLimits) {
    this.#limits = limits;
  }

  get samples(): readonly Buffer[] {
    return this.#samples;
  }

  /** How many messages there are for each one that was kept. */
  get stride(): number {
    return this.#stride;
  }

  get counts(): SampleCounts {
    return { lines: this.#lines, bytes: this.#bytes, unreadable: this.#unreadable };
  }

  /** Takes the next bytes of the input. */
  take(chunk: Buffer): void {
    this.#bytes += chunk.length;
    let from = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, from)) {
      this.#addToLine(chunk.subarray(from, end));
      this.#endLine();
      from = end + 1;
    }
    // The rest outlives the chunk's memory.
    if (from < chunk.length) this.#addToLine(Buffer.from(chunk.subarray(from)));
  }

  /** Takes what stands behind the last line end. */
  end(): void {
    if (this.#lineBytes > 0) this.#endLine();
  }

  #addToLine(part: Buffer): void {
    this.#lineBytes += part.length;
    if (this.#lineBytes > maxLineBytes) this.#line = [];
    else this.#line.push(part);
  }

  #endLine(): void {
    const isTooLong = this.#lineBytes > maxLineBytes;
    const line = withoutReturn(this.#line.length === 1 ? this.#line[0]! : Buffer.concat(this.#line));
    this.#line = [];
    this.#lineBytes = 0;
    this.#lines++;
    if (line.length === 0 && !isTooLong) return;
    const message = isTooLong ? undefined : messageOf(line);
    if (message === undefined) this.#unreadable++;
    else if (message.length > 0 && this.#messages++ % this.#stride === 0) this.#keep(message);
  }

  #keep(message: Buffer): void {
    // A copy: a view would hold on to the whole chunk it was read in.
    const sample = Buffer.from(message.subarray(0, maxSampleBytes));
    this.#samples.push(sample);
    this.#sampleBytes += sample.length;
    const { maxSamples, maxTotalBytes } = this.#limits;
    while (this.#samples.length > maxSamples || this.#sampleBytes > maxTotalBytes) {
      this.#stride *= 2;
      this.#samples = this.#samples.filter((_, i) => i % 2 === 0);
      this.#sampleBytes = this.#samples.reduce((sum, { length }) => sum + length, 0);
    }
  }
}

/** A JSON string stands for its text, any other line for itself; undefined when it is neither. */
function messageOf(line: Buffer): Buffer | undefined {
  if (!isUtf8(line)) return undefined;
  if (line[0] !== quote) return line;
  try {
    const text: unknown = JSON.parse(line.toString());
    return typeof text === 'string' ? Buffer.from(text) : undefined;
  } catch {
    return undefined;
  }
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === carriageReturn ? line.subarray(0, -1) : line;
}
