import { MessageSource } from './generate.ts';
import { readCorpus } from './read.ts';
import type { Message } from './read.ts';

/** Messages of about one size. */
export interface Size {
  readonly name: string;
  readonly least: number;
  readonly most: number;
  readonly more: (source: MessageSource) => Buffer;
}

const totalBytes = 600_000;
const moreSeed = 4_000;

export const tenKilobytes: Size = {
  ...{ name: '10 KB', least: 7_000, most: 15_000 },
  more: (source) => source.large(10_000),
};

/** All that codecs are measured with. */
export const sizes: readonly Size[] = [
  { name: '280 B', least: 200, most: 400, more: (source) => source.small() },
  { name: '1 KB', least: 700, most: 1_600, more: (source) => source.large(1_000) },
  tenKilobytes,
  { name: '100 KB', least: 70_000, most: 150_000, more: (source) => source.large(96_000) },
];

/**
 * The committed messages of that size, and more from the same generator: a processor that sees the same ones again and again
 * learns their branches, which makes zstd a third faster than it is.
 */
export function messagesOf(size: Size): Buffer[] {
  const messages = committed(size).map(({ bytes }) => bytes);
  const source = new MessageSource(moreSeed);
  for (let total = bytesOf(messages); total < totalBytes;) {
    const next = size.more(source);
    if (next.length < size.least || next.length >= size.most) continue;
    messages.push(next);
    total += next.length;
  }
  return messages;
}

/** The committed messages alone. */
export function committed({ least, most }: Size): Message[] {
  return readCorpus('test').filter(({ bytes: { length } }) => length >= least && length < most);
}

/** The bytes of all messages together. */
export function bytesOf(messages: readonly Uint8Array[]): number {
  return messages.reduce((sum, { length }) => sum + length, 0);
}
