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
const { Z_FINISH } = zlib.constants;

/** gzip (RFC 1952), one member per message. */
export function createGzip({ gzip: { level } }: GzipSettings, open = openStream): Codec {
  const arena = new Arena();
  const packer = open(
    {
      create: (options) => zlib.createGzip(options),
      call: zlib.gzipSync,
      options: { level },
      endFlag: Z_FINISH,
      resets: true,
      sample: Buffer.from('{"jsonrpc":"2.0"}'),
    },
    arena,
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
    arena,
  );

  return {
    name: 'gzip',
    encodeInPoolFromBytes: 16_384,
    encode: (plain) => packer.run(plain, worstBytes(plain.length), Infinity),

    async encodeInPool(plain) {
      const run = await runInPool(zlib.gzip, plain, { level }, worstBytes(plain.length), Infinity);
      return run.output;
    },

    decodesSlowly: (packed) => packed.length > trailerBytes && contentBytes(packed) >= slowFromBytes,

    decode(packed, maxBytes) {
      const deflated = deflatedPart(packed, maxBytes);
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
      const deflated = deflatedPart(packed, maxBytes);
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

function deflatedPart(packed: Uint8Array, maxBytes: number): Uint8Array {
  const start = deflateStart(packed);
  if (start === -1) throw new CodecError('undecodable', 'not a gzip member');
  if (contentBytes(packed) > maxBytes) throw new CodecError('too-big', `more than ${maxBytes} bytes`);
  return packed.subarray(start, packed.length - trailerBytes);
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

/** More than deflateBound, for every level. */
function worstBytes(plainBytes: number): number {
  return plainBytes + (plainBytes >> 3) + 256;
}
