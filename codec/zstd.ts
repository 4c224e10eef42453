import zlib from 'node:zlib';
import { createRequire } from 'node:module';
import { Buffer } from 'node:buffer';
import { CodecError, type Codec } from './codec.ts';
import type { Dictionary } from './dictionary.ts';
import { runInPool, type SyncCall, type ZlibOptions } from './one-shot.ts';
import { Arena, openStream, type MessageStream } from './reused-stream.ts';
import { withContentBytes, ZstdFrameReader } from './zstd-frame.ts';

/** The first dictionary packs, all unpack. */
export interface ZstdSettings {
  readonly zstd: { readonly level: number; readonly dictionaries: readonly Dictionary[] };
}

type CompressInPool = (plain: Buffer, level: number) => Promise<Uint8Array>;

/** What a reader must support at most (RFC 9659). */
const largestWindowBytes = 8_388_608;
const slowFromBytes = 262_144;
const { ZSTD_e_end, ZSTD_c_compressionLevel, ZSTD_d_windowLogMax } = zlib.constants;
const unpackParams = { [ZSTD_d_windowLogMax]: Math.log2(largestWindowBytes) };
const compress = zlib.zstdCompressSync as SyncCall;
const decompress = zlib.zstdDecompressSync as SyncCall;

/** Zstandard (RFC 8878), with shared dictionaries. Throws WSLUICE_ZSTD where this Node has none (before 22.15). */
export function createZstd({ zstd: { level, dictionaries } }: ZstdSettings, open = openStream): Codec {
  if (!('zstdCompressSync' in zlib)) throw zstdMissing();
  const arena = new Arena();
  const frame = new ZstdFrameReader();
  const packOptions: ZlibOptions = { params: { [ZSTD_c_compressionLevel]: level } };
  const packer = openPacker(packOptions, dictionaries[0], arena, open);
  const unpackers = new Map<number, MessageStream>([[0, openUnpacker(undefined, arena, open)]]);
  const known = new Map<number, Dictionary>();
  for (const dictionary of dictionaries) {
    known.set(dictionary.id, dictionary);
    unpackers.set(dictionary.id, openUnpacker(dictionary, arena, open));
  }
  const compressInPool = loadCompressInPool();

  /** Throws for what cannot be decoded within maxBytes, as far as the frame's outline shows it. */
  function check(packed: Uint8Array, maxBytes: number): void {
    if (!frame.read(packed)) throw new CodecError('undecodable', 'not exactly one zstd frame');
    if (frame.contentBytes > maxBytes || frame.leastBytes > maxBytes)
      throw new CodecError('too-big', `more than ${maxBytes} bytes`);
    if (
      frame.contentBytes >= 0 &&
      (frame.contentBytes < frame.leastBytes || frame.contentBytes > frame.mostBytes)
    )
      throw new CodecError('undecodable', 'the content size is wrong');
    if (frame.windowBytes > Math.max(largestWindowBytes, frame.contentBytes))
      throw new CodecError('undecodable', 'the window is too large');
    if (!unpackers.has(frame.dictionaryId))
      throw new CodecError('undecodable', `dictionary ${frame.dictionaryId} is unknown`);
  }

  function expectedBytes(): number {
    return frame.contentBytes >= 0 ? frame.contentBytes : frame.mostBytes;
  }

  return {
    name: 'zstd',
    encodeInPoolFromBytes: 65_536,
    encode: (plain) => packer.run(plain, worstBytes(plain.length), Infinity),

    async encodeInPool(plain) {
      if (compressInPool !== undefined)
        return withContentBytes(await compressInPool(toBuffer(plain), level), plain.length);
      const room = worstBytes(plain.length);
      return (await runInPool(zlib.zstdCompress, plain, packOptions, room, Infinity)).output;
    },

    decodesSlowly: (packed) => frame.read(packed) && expectedBytes() >= slowFromBytes,

    decode(packed, maxBytes) {
      check(packed, maxBytes);
      return unpackers.get(frame.dictionaryId)!.run(packed, expectedBytes(), maxBytes);
    },

    async decodeInPool(packed, maxBytes) {
      check(packed, maxBytes);
      const options = unpackOptions(known.get(frame.dictionaryId));
      const run = await runInPool(zlib.zstdDecompress, packed, options, expectedBytes(), maxBytes);
      return run.output;
    },
  };
}

function openPacker(
  options: ZlibOptions,
  dictionary: Dictionary | undefined,
  arena: Arena,
  open: typeof openStream,
): MessageStream {
  return open(
    {
      create: (all) => zlib.createZstdCompress(all),
      call: compress,
      options: dictionary === undefined ? options : { ...options, dictionary: dictionary.bytes },
      endFlag: ZSTD_e_end,
      resets: false,
      sample: Buffer.from('{"jsonrpc":"2.0"}'),
    },
    arena,
  );
}

function openUnpacker(
  dictionary: Dictionary | undefined,
  arena: Arena,
  open: typeof openStream,
): MessageStream {
  const options = unpackOptions(dictionary);
  return open(
    {
      create: (all) => zlib.createZstdDecompress(all),
      call: decompress,
      options,
      endFlag: ZSTD_e_end,
      resets: false,
      sample: zlib.zstdCompressSync('{"jsonrpc":"2.0"}'),
    },
    arena,
  );
}

function unpackOptions(dictionary: Dictionary | undefined): ZlibOptions {
  return dictionary === undefined
    ? { params: unpackParams }
    : { params: unpackParams, dictionary: dictionary.bytes };
}

/** More than ZSTD_COMPRESSBOUND: a frame that filled its room exactly would be followed by an empty one. */
function worstBytes(plainBytes: number): number {
  return plainBytes + (plainBytes >> 8) + 128;
}

/** Half the time of Node's own in the pool, and frees its memory at once; undefined where it has no binary for this machine. */
function loadCompressInPool(): CompressInPool | undefined {
  try {
    // Its index.js drops the level.
    const native: unknown = createRequire(import.meta.url)('@mongodb-js/zstd/bindings.js');
    return (native as { compress: CompressInPool }).compress;
  } catch {
    return undefined;
  }
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function zstdMissing(): Error {
  const message = `zstd needs Node 22.15 or newer; this is ${process.version}`;
  return Object.assign(new Error(message), { code: 'WSLUICE_ZSTD' });
}
