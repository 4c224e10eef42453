import zlib from 'node:zlib';
import { CodecError, type Codec } from './codec.ts';
import { readBrotliHeader, withSmallWindow } from './brotli-header.ts';
import { runInPool, runOnce, type PoolCall, type ZlibOptions } from './one-shot.ts';
import { Arena, openStream } from './reused-stream.ts';

export interface BrotliSettings {
  readonly brotli: { readonly quality: number };
}

const slowFromBytes = 131_072;
const unknownBytes = 65_536;
/** A message that claims to be too big is believed when so much of it can be decoded. */
const probeBytes = 65_535;
const { BROTLI_PARAM_QUALITY, BROTLI_OPERATION_FINISH } = zlib.constants;

/** Brotli (RFC 7932). Its encoder cannot be reused: Node's reset() loses the quality. */
export function createBrotli({ brotli: { quality } }: BrotliSettings, open = openStream): Codec {
  const unpacker = open(
    {
      create: (options) => zlib.createBrotliDecompress(options),
      call: zlib.brotliDecompressSync,
      options: {},
      endFlag: BROTLI_OPERATION_FINISH,
      resets: true,
      sample: zlib.brotliCompressSync('{"jsonrpc":"2.0"}'),
    },
    new Arena(),
  );

  const packOptions: ZlibOptions = { params: { [BROTLI_PARAM_QUALITY]: quality } };

  /** The message as it can be decoded in bounded memory. Throws for what is seen to be bad before all of it is decoded. */
  function check(packed: Uint8Array, maxBytes: number): { bounded: Uint8Array; expectedBytes: number } {
    if (packed.length === 0) throw new CodecError('undecodable', 'no bytes');
    const { leastBytes, isAll } = readBrotliHeader(packed);
    if (leastBytes > maxBytes) {
      unpacker.run(withSmallWindow(packed, 0), 0, Math.min(maxBytes, probeBytes));
      throw new CodecError('undecodable', 'the size is wrong');
    }
    // A decoder makes room for no more than the pieces that it has seen.
    if (isAll) return { bounded: packed, expectedBytes: leastBytes };
    return { bounded: withSmallWindow(packed, maxBytes), expectedBytes: Math.max(leastBytes, unknownBytes) };
  }

  return {
    name: 'brotli',
    encodeInPoolFromBytes: slowPackingFromBytes(quality),

    encode(plain) {
      const room = worstBytes(plain.length);
      return runOnce(zlib.brotliCompressSync, plain, packOptions, room, Infinity).output;
    },

    async encodeInPool(plain) {
      const call = zlib.brotliCompress as PoolCall;
      return (await runInPool(call, plain, packOptions, plain.length >> 1, Infinity)).output;
    },

    decodesSlowly(packed) {
      const { leastBytes, isAll } = readBrotliHeader(packed);
      return !isAll || leastBytes >= slowFromBytes;
    },

    decode(packed, maxBytes) {
      const { bounded, expectedBytes } = check(packed, maxBytes);
      const plain = unpacker.run(bounded, expectedBytes, maxBytes);
      checkWhole(packed, unpacker.takenBytes);
      return plain;
    },

    async decodeInPool(packed, maxBytes) {
      const { bounded, expectedBytes } = check(packed, maxBytes);
      const call = zlib.brotliDecompress as PoolCall;
      const { output, takenBytes } = await runInPool(call, bounded, {}, expectedBytes, maxBytes);
      checkWhole(packed, takenBytes);
      return output;
    },
  };
}

function checkWhole(packed: Uint8Array, takenBytes: number): void {
  if (takenBytes !== packed.length) throw new CodecError('undecodable', 'something follows the message');
}

/** What takes about 200 µs; from quality 9 on, so does the smallest message. */
function slowPackingFromBytes(quality: number): number {
  if (quality >= 9) return 0;
  if (quality >= 5) return 8_192;
  return quality === 4 ? 16_384 : 32_768;
}

/** More than the worst case of incompressible input. */
function worstBytes(plainBytes: number): number {
  return plainBytes + (plainBytes >> 10) + 128;
}
