// npm run bench -- codec: what packing and unpacking messages of 10 KB costs, on the committed corpus and more of its kind.
import { bench, do_not_optimize } from 'mitata';
import type { Work } from '../loadtest/bench/micro/bench-file.ts';
import { readDictionary } from '../loadtest/corpus/read.ts';
import { bytesOf, messagesOf, tenKilobytes } from '../loadtest/corpus/sizes.ts';
import { registry, type CodecName } from './registry.ts';

const maxDecodedBytes = 1 << 24;
const messages = messagesOf(tenKilobytes);
const works = new Map<string, Work>();

/** One run packs or unpacks all messages once. */
export const workOf = (title: string): Work | undefined => works.get(title);

for (const level of [1, 6, 9]) measure(`gzip ${level}`, 'gzip', level);
measure('brotli 4', 'brotli', 4);
measure('zstd 3', 'zstd', 3);
measure('zstd 3 + dictionary', 'zstd', 3, [readDictionary()]);

function measure(
  name: string,
  of: CodecName,
  level: number,
  dictionaries: ReturnType<typeof readDictionary>[] = [],
): void {
  const codec = registry[of]({ gzip: { level }, brotli: { quality: level }, zstd: { level, dictionaries } });
  const packed = messages.map((message) => Buffer.from(codec.encode(message)));
  for (const [i, message] of messages.entries())
    if (!message.equals(codec.decode(packed[i]!, maxDecodedBytes)))
      throw new Error(`bug: ${name} loses something`);
  const work = { operations: messages.length, bytes: bytesOf(messages) };
  works.set(`${name}, pack`, { ...work, smaller: work.bytes / bytesOf(packed) });
  works.set(`${name}, unpack`, work);
  bench(`${name}, pack`, () => {
    for (const message of messages) do_not_optimize(codec.encode(message));
  });
  bench(`${name}, unpack`, () => {
    for (const message of packed) do_not_optimize(codec.decode(message, maxDecodedBytes));
  });
}
