import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parseDictionary } from '../../codec/dictionary.ts';
import type { Dictionary } from '../../codec/dictionary.ts';

/** A message of the corpus. */
export interface Message {
  readonly kind: string;
  readonly bytes: Buffer;
}

/** Returns the committed messages of one half. */
export function readCorpus(half: 'train' | 'test'): Message[] {
  const files = globSync(join(import.meta.dirname, half, '*.ndjson')).sort();
  return files.flatMap((file) => {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    return lines.map((line) => ({ kind: basename(file, '.ndjson'), bytes: Buffer.from(line) }));
  });
}

/** Returns the committed dictionary: what `wsluice train` makes of the messages to train on. */
export function readDictionary(): Dictionary {
  return parseDictionary(readFileSync(join(import.meta.dirname, 'dictionary.zst')));
}
