import { existsSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { addAbortSignal, type Readable } from 'node:stream';
import type { TextSink } from './check.ts';
import { trainDictionary } from './train-dictionary.ts';
import { gainLevel, gainOn, type Gain } from './train-gain.ts';
import { SampleCollector } from './train-samples.ts';

/** What the command line says, as text. */
export interface TrainFlags {
  readonly out: string;
  readonly maxBytes: string;
  readonly id?: string;
  readonly force?: boolean;
}

export interface TrainOptions {
  readonly flags: TrainFlags;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TextSink;
  readonly stderr: TextSink;
  /** Ends the command early; it leaves nothing behind. */
  readonly signal: AbortSignal;
  readonly now?: () => number;
}

interface Settings {
  readonly out: string;
  readonly maxBytes: number;
  readonly id: number | undefined;
}

const largestDictionaryBytes = 131_072;
const maxSamples = 20_000;
const leastSamples = 20;
const leastTotalBytes = 4 * 1_048_576;
/** zstd's advice: so many bytes of samples for each byte of the dictionary. */
const usefulBytesPerByte = 100;
const heldOutEvery = 10;
const progressEveryMs = 2_000;

/** `wsluice train`: makes a zstd dictionary of the messages on stdin. Resolves to the exit code: 0, or 1 with one line that says why. */
export async function runTrain(options: TrainOptions): Promise<number> {
  const settings = readFlags(options.flags);
  if (typeof settings === 'string') return fail(options, settings);
  if (options.stdin.isTTY === true)
    options.stderr.write('reading messages from the terminal, one a line …\n');
  try {
    const { samples } = await collect(options, settings);
    if (samples.length < leastSamples)
      return fail(
        options,
        `too few messages: ${samples.length}; ${leastSamples} are the least, and thousands make a good dictionary`,
      );
    await train(options, settings, samples);
    return 0;
  } catch (error) {
    if (!isExpected(error)) throw error;
    return fail(options, error.name === 'AbortError' ? 'interrupted' : error.message);
  }
}

/** The settings, or what is wrong with the flags. */
function readFlags({ out, maxBytes, id, force }: TrainFlags): Settings | string {
  const [size, number] = [wholeNumber(maxBytes), id === undefined ? undefined : wholeNumber(id)];
  if (!(size >= 1_024 && size <= largestDictionaryBytes))
    return `--max-bytes ${maxBytes}: a whole number from 1024 to ${largestDictionaryBytes} is needed`;
  if (number !== undefined && !(number >= 1 && number < 2 ** 31))
    return `--id ${id}: a whole number from 1 to ${2 ** 31 - 1} is needed`;
  if (!isFolder(dirname(out))) return `--out ${out}: there is no folder ${dirname(out)}`;
  if (isFolder(out)) return `--out ${out}: is a folder`;
  if (existsSync(out) && force !== true) return `--out ${out}: exists; --force writes over it`;
  return { out, maxBytes: size, id: number };
}

async function collect(options: TrainOptions, { maxBytes }: Settings): Promise<SampleCollector> {
  const { stdin, stderr, signal, now = () => performance.now() } = options;
  const maxTotalBytes = Math.max(leastTotalBytes, usefulBytesPerByte * maxBytes);
  const collector = new SampleCollector({ maxSamples, maxTotalBytes });
  let saidAtMs = now();
  for await (const chunk of addAbortSignal(signal, stdin)) {
    collector.take(chunk as Buffer);
    if (now() - saidAtMs < progressEveryMs) continue;
    saidAtMs = now();
    stderr.write(`read ${grouped(collector.counts.lines)} lines, ${size(collector.counts.bytes)} …\n`);
  }
  collector.end();
  const { lines, bytes, unreadable } = collector.counts;
  const kept = collector.samples.length;
  const thinned =
    collector.stride > 1 ? `; kept one message in ${collector.stride}, ${grouped(kept)} in all` : '';
  const left = unreadable > 0 ? `; left out ${grouped(unreadable)} that are unreadable` : '';
  options.stdout.write(`read ${grouped(lines)} lines, ${size(bytes)}${left}${thinned}\n`);
  return collector;
}

async function train(options: TrainOptions, settings: Settings, samples: readonly Buffer[]): Promise<void> {
  const { stdout, stderr, signal } = options;
  const trained = samples.filter((_, i) => i % heldOutEvery !== heldOutEvery - 1);
  const heldOut = samples.filter((_, i) => i % heldOutEvery === heldOutEvery - 1);
  stderr.write(`training on ${grouped(trained.length)} messages, ${size(total(trained))} …\n`);
  const dictionary = await trainDictionary(trained, { maxBytes: settings.maxBytes, id: settings.id, signal });
  // What it replaces may have come meanwhile.
  writeFileSync(settings.out, dictionary.bytes, { flag: options.flags.force === true ? 'w' : 'wx' });
  stdout.write(
    `wrote ${settings.out}: ${grouped(dictionary.bytes.length)} bytes, dictionary id ${dictionary.id}\n`,
  );
  const gain = gainOn(heldOut, dictionary);
  stdout.write(gainLine(gain));
  if (gain.withBytes >= gain.withoutBytes)
    stdout.write('warning: it makes messages no smaller: these have little in common, do not use it\n');
  if (total(trained) < (settings.maxBytes * usefulBytesPerByte) / 10)
    stdout.write(
      `note: more messages make a better dictionary; ${size(settings.maxBytes * usefulBytesPerByte)} of them are about enough for this size\n`,
    );
  stdout.write('warning: the dictionary contains pieces of these messages, and every client can fetch it\n');
}

/** What can go wrong with a tool, a file or a signal; anything else is a bug and keeps its stack. */
function isExpected(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error ? String(error.code) : '';
  return error.name === 'AbortError' || code.startsWith('WSLUICE_') || 'syscall' in error;
}

function fail({ stderr }: TrainOptions, reason: string): number {
  stderr.write(`train: ${reason}\n`);
  return 1;
}

function gainLine({ messages, plainBytes, withoutBytes, withBytes }: Gain): string {
  const of = (part: number): string => `${grouped(part)} (${(plainBytes / part).toFixed(2)}×)`;
  const packed = `${of(withoutBytes)} without the dictionary, ${of(withBytes)} with it`;
  return `gain on ${grouped(messages)} messages it has not seen: ${grouped(plainBytes)} bytes, by zstd ${gainLevel} ${packed}\n`;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function wholeNumber(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : NaN;
}

function total(messages: readonly Uint8Array[]): number {
  return messages.reduce((sum, { length }) => sum + length, 0);
}

function grouped(value: number): string {
  return value.toLocaleString('en');
}

function size(bytes: number): string {
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
