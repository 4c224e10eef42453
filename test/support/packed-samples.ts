import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import { badMessages } from './bad-messages.ts';
import { noise, prose } from './codec-messages.ts';
import { compressInPieces } from './codec-wire.ts';
import type { CodecName } from './codec-wire.ts';
import { CHECKOUT } from './gateway.ts';

const {
  BROTLI_PARAM_LGWIN,
  BROTLI_PARAM_QUALITY,
  ZSTD_c_checksumFlag,
  ZSTD_c_compressionLevel,
  ZSTD_c_contentSizeFlag,
} = zlib.constants;

/** What fuzzing starts from: payloads that a codec takes, made in every way that encoders have, and some that it does not take. */
export interface PackedSamples {
  readonly good: readonly Buffer[];
  readonly bad: readonly Buffer[];
}

/** Samples of up to `maxBytes` decoded; the same for the same `random`. */
export async function packedSamples(
  codec: CodecName,
  options: {
    readonly dictionaries: readonly Buffer[];
    readonly maxBytes: number;
    readonly random: () => number;
  },
): Promise<PackedSamples> {
  const { random, maxBytes } = options;
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!;
  const lines = globSync(join(CHECKOUT, 'loadtest/corpus/test/*.ndjson'))
    .sort()
    .flatMap((file) => readFileSync(file, 'utf8').trimEnd().split('\n'))
    .filter((line) => line.length < maxBytes);
  const plains = [
    ...Array.from({ length: 60 }, () => Buffer.from(pick(lines))),
    ...[0, 1, 20, 500, 5_000, 60_000, maxBytes / 2].map((length) => Buffer.from(prose(length, random))),
    ...[1, 300, 20_000].map((length) => noise(length, random)),
    Buffer.alloc(maxBytes),
  ];
  const packed = await Promise.all(plains.map((plain) => pack(codec, plain, options.dictionaries, random)));
  // At level 0 gzip makes the largest message larger still: too large for the wire, and rightly refused.
  const good = packed.filter(({ length }) => length <= maxBytes);
  const bad = (await badMessages(codec, maxBytes)).map(({ wire }) => wire.subarray(1));
  return { good, bad: bad.filter(({ length }) => length < maxBytes) };
}

async function pack(
  codec: CodecName,
  plain: Buffer,
  dictionaries: readonly Buffer[],
  random: () => number,
): Promise<Buffer> {
  const upTo = (most: number): number => Math.floor(random() * (most + 1));
  const inPieces = random() < 0.25 && codec !== 'identity';
  const brotli = { params: { [BROTLI_PARAM_QUALITY]: upTo(6), [BROTLI_PARAM_LGWIN]: 10 + upTo(14) } };
  const gzip = { level: upTo(9), memLevel: 1 + upTo(8), strategy: upTo(4) };
  const dictionary = [undefined, ...dictionaries][upTo(dictionaries.length)];
  const params = {
    [ZSTD_c_compressionLevel]: 1 + upTo(8),
    [ZSTD_c_checksumFlag]: upTo(1),
    [ZSTD_c_contentSizeFlag]: upTo(1),
  };
  const zstd = dictionary === undefined ? { params } : { params, dictionary };
  if (inPieces) {
    const streams = {
      zstd: () => zlib.createZstdCompress(zstd),
      brotli: () => zlib.createBrotliCompress(brotli),
      gzip: () => zlib.createGzip(gzip),
    };
    const middle = Math.floor(random() * plain.length);
    return compressInPieces(streams[codec](), [plain.subarray(0, middle), plain.subarray(middle)]);
  }
  if (codec === 'zstd') return zlib.zstdCompressSync(plain, zstd);
  if (codec === 'brotli') return zlib.brotliCompressSync(plain, brotli);
  return codec === 'gzip' ? zlib.gzipSync(plain, gzip) : plain;
}
