import zlib from 'node:zlib';
import type { Codec } from '../../../codec/codec.ts';
import type { Dictionary } from '../../../codec/dictionary.ts';
import { registry } from '../../../codec/registry.ts';

/** One way to pack messages in this thread; results may be valid until the next call only. */
export interface Contestant {
  readonly name: string;
  readonly encode: (plain: Buffer) => Uint8Array;
  readonly decode: (packed: Uint8Array) => Uint8Array;
}

const maxDecodedBytes = 1 << 24;
const { BROTLI_PARAM_QUALITY } = zlib.constants;
const quality4 = { params: { [BROTLI_PARAM_QUALITY]: 4 } };

/** A codec as the gateway makes it. */
export function codecOf(name: 'gzip' | 'brotli' | 'zstd', level: number, dictionary?: Dictionary): Codec {
  const dictionaries = dictionary === undefined ? [] : [dictionary];
  return registry[name]({ gzip: { level }, brotli: { quality: level }, zstd: { level, dictionaries } });
}

function contestant(name: string, of: Codec): Contestant {
  return {
    name,
    encode: (plain) => of.encode(plain),
    decode: (packed) => of.decode(packed, maxDecodedBytes),
  };
}

/** The first one is what all others are compared with: the call that everybody uses. */
export function contestants(dictionary: Dictionary): Contestant[] {
  const withIt = { dictionary: dictionary.bytes };
  return [
    {
      name: 'gzipSync 6',
      encode: (plain) => zlib.gzipSync(plain),
      decode: (packed) => zlib.gunzipSync(packed),
    },
    contestant('codec gzip 6', codecOf('gzip', 6)),
    contestant('codec brotli 4', codecOf('brotli', 4)),
    contestant('codec zstd 1', codecOf('zstd', 1)),
    contestant('codec zstd 3', codecOf('zstd', 3)),
    contestant('codec zstd 3 + dictionary', codecOf('zstd', 3, dictionary)),
    {
      name: 'brotliCompressSync 4',
      encode: (plain) => zlib.brotliCompressSync(plain, quality4),
      decode: (packed) => zlib.brotliDecompressSync(packed),
    },
    {
      name: 'zstdCompressSync 3',
      encode: (plain) => zlib.zstdCompressSync(plain),
      decode: (packed) => zlib.zstdDecompressSync(packed),
    },
    {
      name: 'zstdCompressSync 3 + dictionary',
      encode: (plain) => zlib.zstdCompressSync(plain, withIt),
      decode: (packed) => zlib.zstdDecompressSync(packed, withIt),
    },
    contestant('codec gzip 1', codecOf('gzip', 1)),
    contestant('codec gzip 9', codecOf('gzip', 9)),
  ];
}
