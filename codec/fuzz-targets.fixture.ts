import zlib from 'node:zlib';
import { createBrotli } from './brotli.ts';
import type { Codec } from './codec.ts';
import { createGzip } from './gzip.ts';
import { jsonMessage, noise, readDictionary, seeded } from './messages.fixture.ts';
import { streamed } from './streamed.fixture.ts';
import { ZstdFrameReader } from './zstd-frame.ts';
import { createZstd } from './zstd.ts';

const dictionaries = [readDictionary('json-rpc'), readDictionary('events')];
const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, ZSTD_c_checksumFlag, ZSTD_c_compressionLevel } =
  zlib.constants;

/** A codec, and valid messages for it of every shape that the format has. */
export interface FuzzTarget {
  readonly name: string;
  readonly codec: Codec;
  readonly messages: readonly Buffer[];
  /** Node's own reading of a message. */
  readonly unpack: (packed: Buffer) => Uint8Array;
}

/** Every codec that has bad input. */
export async function fuzzTargets(): Promise<FuzzTarget[]> {
  const random = seeded(1);
  const plain = [
    Buffer.alloc(0),
    Buffer.from('{}'),
    jsonMessage(100, random),
    jsonMessage(280, random),
    jsonMessage(5000, random),
    noise(300, random),
    Buffer.alloc(70_000),
    Buffer.alloc(3_000_000),
  ];
  const parts = [jsonMessage(200, random), Buffer.alloc(200_000), jsonMessage(200, random)];
  const brotli = (quality: number, lgwin: number) => ({
    params: { [BROTLI_PARAM_QUALITY]: quality, [BROTLI_PARAM_LGWIN]: lgwin },
  });
  const zstd = (level: number) => ({
    params: { [ZSTD_c_compressionLevel]: level, [ZSTD_c_checksumFlag]: level & 1 },
  });
  return [
    {
      name: 'gzip',
      codec: createGzip({ gzip: { level: 6 } }),
      unpack: (packed) => zlib.gunzipSync(packed),
      messages: [
        ...plain.flatMap((message) => [0, 6].map((level) => zlib.gzipSync(message, { level }))),
        await streamed(zlib.createGzip(), parts),
      ],
    },
    {
      name: 'brotli',
      codec: createBrotli({ brotli: { quality: 4 } }),
      unpack: (packed) => zlib.brotliDecompressSync(packed),
      messages: [
        ...plain.flatMap((message) =>
          [1, 5].map((quality) => zlib.brotliCompressSync(message, brotli(quality, 22))),
        ),
        await streamed(zlib.createBrotliCompress(brotli(5, 24)), parts),
        await streamed(zlib.createBrotliCompress(brotli(9, 16)), [...parts, ...parts]),
      ],
    },
    {
      name: 'zstd',
      codec: createZstd({ zstd: { level: 3, dictionaries } }),
      unpack: unzstd,
      messages: [
        ...plain.flatMap((message) => [1, 6].map((level) => zlib.zstdCompressSync(message, zstd(level)))),
        ...plain.flatMap((message) =>
          dictionaries.map(({ bytes }) => zlib.zstdCompressSync(message, { dictionary: bytes })),
        ),
        await streamed(zlib.createZstdCompress(zstd(3)), parts),
        await streamed(zlib.createZstdCompress(zstd(10)), [...parts, ...parts]),
      ],
    },
  ];
}

function unzstd(packed: Buffer): Uint8Array {
  const frame = new ZstdFrameReader();
  frame.readHeader(packed);
  const dictionary = dictionaries.find(({ id }) => id === frame.dictionaryId)?.bytes;
  return zlib.zstdDecompressSync(packed, dictionary && { dictionary });
}
