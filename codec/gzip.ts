import zlib from 'node:zlib';
import { Buffer } from 'node:buffer';
import { CodecError, type Codec } from './codec.ts';
import { contentBytes, contentCrc, deflateStart, trailerBytes } from './gzip-member.ts';
import { runInPool } from './one-shot.ts';
import { Arena, openStream } from './reused-stream.ts';

export interface GzipSettings {
  readonly gzip: { readonly level: number };
}

const slowFromBytes = 262_144;
/** What deflate makes of one byte at most. */
const largestRatio = 1032;
/** A message that claims to be too big is believed when so much of it can be decoded. */
const probeBytes = 65_535;
const { Z_FINISH } = zlib.constants;

/** gzip (RFC 1952), one member per message. */
export function createGzip({ gzip: { level } }: GzipSettings, open = openStream): Codec {
  const packer = open(
    {
      create: (options) => zlib.createGzip(options),
      call: zlib.gzipSync,
      options: { level },
      endFlag: Z_FINISH,
      resets: true,
      sample: Buffer.from('{"jsonrpc":"2.0"}'),
    },
    new Arena(),
  );
  // Not gunzip, which goes on with a second member after the first.
  const inflater = open(
    {
      create: (options) => zlib.createInflateRaw(options),
      call: zlib.inflateRawSync,
      options: {},
      endFlag: Z_FINISH,
      resets: true,
      sample: zlib.deflateRawSync('{"jsonrpc":"2.0"}'),
    },
    new Arena(),
  );

  /** The deflate data. Throws for what is seen to be bad before all of it is decoded. */
  function check(packed: Uint8Array, maxBytes: number): Uint8Array {
    const start = deflateStart(packed);
    if (start === -1) throw new CodecError('undecodable', 'not a gzip member');
    const deflated = packed.subarray(start, packed.length - trailerBytes);
    const size = contentBytes(packed);
    if (size > deflated.length * largestRatio) throw new CodecError('undecodable', 'the size is wrong');
    if (size <= maxBytes) return deflated;
    inflater.run(deflated, 0, Math.min(maxBytes, probeBytes));
    throw new CodecError('undecodable', 'the size is wrong');
  }

  return {
    name: 'gzip',
    encodeInPoolFromBytes: slowPackingFromBytes(level),
    encode: (plain) => packer.run(plain, worstBytes(plain.length), Infinity),

    async encodeInPool(plain) {
      return (await runInPool(zlib.gzip, plain, { level }, plain.length >> 1, Infinity)).output;
    },

    decodesSlowly: (packed) => packed.length > trailerBytes && contentBytes(packed) >= slowFromBytes,

    decode(packed, maxBytes) {
      const deflated = check(packed, maxBytes);
      const size = contentBytes(packed);
      try {
        const output = inflater.run(deflated, size, size);
        checkPlain(packed, output, deflated.length === inflater.takenBytes);
        return output;
      } catch (error) {
        throw asUndecodable(error);
      }
    },

    async decodeInPool(packed, maxBytes) {
      const deflated = check(packed, maxBytes);
      const size = contentBytes(packed);
      try {
        const { output, takenBytes } = await runInPool(zlib.inflateRaw, deflated, {}, size, size);
        checkPlain(packed, output, deflated.length === takenBytes);
        return output;
      } catch (error) {
        throw asUndecodable(error);
      }
    },
  };
}

function checkPlain(packed: Uint8Array, plain: Uint8Array, isWhole: boolean): void {
  if (!isWhole) throw new CodecError('undecodable', 'something follows the gzip member');
  if (plain.length !== contentBytes(packed)) throw new CodecError('undecodable', 'the size is wrong');
  if (zlib.crc32(plain) !== contentCrc(packed)) throw new CodecError('undecodable', 'the checksum is wrong');
}

/** More than the trailer says is a wrong trailer: what is too big was refused before. */
function asUndecodable(error: unknown): unknown {
  return error instanceof CodecError ? new CodecError('undecodable', error.message) : error;
}

/** What takes about 200 µs. */
function slowPackingFromBytes(level: number): number {
  if (level >= 8) return 8_192;
  return level >= 3 ? 16_384 : 32_768;
}

/** More than deflateBound, for every level. */
function worstBytes(plainBytes: number): number {
  return plainBytes + (plainBytes >> 3) + 256;
}
