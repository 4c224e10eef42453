import zlib from 'node:zlib';
import { Buffer } from 'node:buffer';
import { CodecError, type Codec } from './codec.ts';
import type { Dictionary } from './dictionary.ts';
import { runInPool, type PoolCall, type ZlibOptions } from './one-shot.ts';
import { Arena, openStream, type MessageStream } from './reused-stream.ts';
import { ZstdFrameReader } from './zstd-frame.ts';
import { openPackInPool } from './zstd-pool.ts';

/** The first dictionary packs, all unpack. */
export interface ZstdSettings {
  readonly zstd: {
    readonly level: number;
    readonly dictionaries: readonly Dictionary[];
    /** Id of the one that packs, 0 for none; by default the first. */
    readonly packsWith?: number;
  };
}

interface Unpacker {
  readonly options: ZlibOptions;
  readonly stream: MessageStream;
}

/** What a reader must support (RFC 9659); levels above 19 would name more. Content of known size needs no window of its own. */
const largestWindowBytes = 8_388_608;
const slowFromBytes = 262_144;
const sample = Buffer.from('{"jsonrpc":"2.0"}');
const { ZSTD_e_end, ZSTD_c_compressionLevel, ZSTD_c_windowLog, ZSTD_d_windowLogMax } = zlib.constants;

/** Up to each level: from which size on packing takes more than about 200 µs. */
const slowPacking: readonly (readonly [level: number, fromBytes: number])[] = [
  [4, 65_536],
  [5, 32_768],
  [6, 16_384],
  [10, 8_192],
  [12, 4_096],
  [15, 2_048],
  [Infinity, 1_024],
];

/**
 * Zstandard (RFC 8878), with shared dictionaries. Throws WSLUICE_ZSTD where this Node has none (before 22.15), and
 * WSLUICE_DICTIONARY for a dictionary that is damaged or has the id of another.
 */
export function createZstd(
  { zstd: { level, dictionaries, packsWith } }: ZstdSettings,
  open = openStream,
): Codec {
  if (!('zstdCompressSync' in zlib)) throw zstdMissing();
  const frame = new ZstdFrameReader();
  const packOptions = { params: packParams(level) };
  const packing = packsWith === undefined ? dictionaries[0] : dictionaries.find(({ id }) => id === packsWith);
  const unpackers = openUnpackers(dictionaries, new Arena(), open);
  const packer = open(
    {
      create: (options) => zlib.createZstdCompress(options),
      call: zlib.zstdCompressSync,
      options: withDictionary(packOptions, packing),
      endFlag: ZSTD_e_end,
      resets: false,
      sample,
    },
    new Arena(),
  );

  /** What unpacks it. Throws for what cannot be unpacked within maxBytes, as far as the frame's outline shows it. */
  function check(packed: Uint8Array, maxBytes: number): Unpacker {
    if (!frame.read(packed)) throw new CodecError('undecodable', 'not exactly one zstd frame');
    const { contentBytes, leastBytes, mostBytes } = frame;
    if (contentBytes > maxBytes || leastBytes > maxBytes)
      throw new CodecError('too-big', `more than ${maxBytes} bytes`);
    if (contentBytes >= 0 && (contentBytes < leastBytes || contentBytes > mostBytes))
      throw new CodecError('undecodable', 'the content size is wrong');
    if (contentBytes < 0 && frame.windowBytes > largestWindowBytes)
      throw new CodecError('undecodable', 'the window is too large');
    const unpacker = unpackers.get(frame.dictionaryId);
    if (unpacker !== undefined) return unpacker;
    throw new CodecError('undecodable', `dictionary ${frame.dictionaryId} is unknown`);
  }

  function expectedBytes(): number {
    return frame.contentBytes >= 0 ? frame.contentBytes : frame.mostBytes;
  }

  return {
    name: 'zstd',
    encodeInPoolFromBytes: slowPacking.find(([upTo]) => level <= upTo)![1],
    encode: (plain) => packer.run(plain, worstBytes(plain.length), Infinity),

    // Without a dictionary: it helps small messages only.
    encodeInPool: openPackInPool(level, packOptions),

    decodesSlowly: (packed) => frame.read(packed) && expectedBytes() >= slowFromBytes,

    decode(packed, maxBytes) {
      const { stream } = check(packed, maxBytes);
      return stream.run(packed, expectedBytes(), maxBytes);
    },

    async decodeInPool(packed, maxBytes) {
      const { options } = check(packed, maxBytes);
      const call = zlib.zstdDecompress as PoolCall;
      return (await runInPool(call, packed, options, expectedBytes(), maxBytes)).output;
    },
  };
}

function packParams(level: number): Record<number, number> {
  const params = { [ZSTD_c_compressionLevel]: level };
  return level > 19 ? { ...params, [ZSTD_c_windowLog]: Math.log2(largestWindowBytes) } : params;
}

/** By the id of their dictionary; 0 for frames without one. */
function openUnpackers(
  dictionaries: readonly Dictionary[],
  arena: Arena,
  open: typeof openStream,
): Map<number, Unpacker> {
  const unpackers = new Map<number, Unpacker>();
  for (const dictionary of [undefined, ...dictionaries]) {
    const id = dictionary?.id ?? 0;
    if (unpackers.has(id)) throw badDictionary(`two have the id ${id}`);
    const options = withDictionary(
      { params: { [ZSTD_d_windowLogMax]: Math.log2(largestWindowBytes) } },
      dictionary,
    );
    const stream = open(
      {
        create: (all) => zlib.createZstdDecompress(all),
        call: zlib.zstdDecompressSync,
        options,
        endFlag: ZSTD_e_end,
        resets: false,
        sample: packedSample(dictionary),
      },
      arena,
    );
    unpackers.set(id, { options, stream });
  }
  return unpackers;
}

function packedSample(dictionary: Dictionary | undefined): Uint8Array {
  try {
    return zlib.zstdCompressSync(sample, withDictionary({}, dictionary));
  } catch {
    throw badDictionary(`${dictionary?.id ?? 0} is damaged`);
  }
}

function withDictionary(options: ZlibOptions, dictionary: Dictionary | undefined): ZlibOptions {
  return dictionary === undefined ? options : { ...options, dictionary: dictionary.bytes };
}

/** More than ZSTD_COMPRESSBOUND: a frame that filled its room exactly would be followed by an empty one. */
function worstBytes(plainBytes: number): number {
  return plainBytes + (plainBytes >> 8) + 128;
}

function badDictionary(why: string): Error {
  return Object.assign(new Error(`zstd dictionary: ${why}`), { code: 'WSLUICE_DICTIONARY' });
}

function zstdMissing(): Error {
  const message = `zstd needs Node 22.15 or newer; this is ${process.version}`;
  return Object.assign(new Error(message), { code: 'WSLUICE_ZSTD' });
}
