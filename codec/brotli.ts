import zlib from 'node:zlib';
import { CodecError, type Codec } from './codec.ts';
import { readBrotliHeader } from './brotli-header.ts';
import { runInPool, runOnce, type PoolCall, type ZlibOptions } from './one-shot.ts';
import { Arena, openStream } from './reused-stream.ts';

export interface BrotliSettings {
  readonly brotli: { readonly quality: number };
}

const slowFromBytes = 131_072;
const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_SIZE_HINT, BROTLI_OPERATION_FINISH } = zlib.constants;

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

  function packOptions(plainBytes: number): ZlibOptions {
    return { params: { [BROTLI_PARAM_QUALITY]: quality, [BROTLI_PARAM_SIZE_HINT]: plainBytes } };
  }

  /** How many bytes to expect. */
  function check(packed: Uint8Array, maxBytes: number): number {
    if (packed.length === 0) throw new CodecError('undecodable', 'no bytes');
    const { leastBytes, isAll } = readBrotliHeader(packed);
    if (leastBytes > maxBytes) throw new CodecError('too-big', `more than ${maxBytes} bytes`);
    return isAll ? leastBytes : leastBytes + packed.length * 4;
  }

  return {
    name: 'brotli',
    encodeInPoolFromBytes: 16_384,

    encode(plain) {
      const room = worstBytes(plain.length);
      return runOnce(zlib.brotliCompressSync, plain, packOptions(plain.length), room, Infinity).output;
    },

    async encodeInPool(plain) {
      const room = worstBytes(plain.length);
      const call = zlib.brotliCompress as PoolCall;
      return (await runInPool(call, plain, packOptions(plain.length), room, Infinity)).output;
    },

    decodesSlowly(packed) {
      const { leastBytes, isAll } = readBrotliHeader(packed);
      return (isAll ? leastBytes : leastBytes + packed.length * 4) >= slowFromBytes;
    },

    decode(packed, maxBytes) {
      const plain = unpacker.run(packed, check(packed, maxBytes), maxBytes);
      checkWhole(packed, unpacker.takenBytes);
      return plain;
    },

    async decodeInPool(packed, maxBytes) {
      const expected = check(packed, maxBytes);
      const call = zlib.brotliDecompress as PoolCall;
      const { output, takenBytes } = await runInPool(call, packed, {}, expected, maxBytes);
      checkWhole(packed, takenBytes);
      return output;
    },
  };
}

function checkWhole(packed: Uint8Array, takenBytes: number): void {
  if (takenBytes !== packed.length) throw new CodecError('undecodable', 'something follows the message');
}

/** More than the worst case of incompressible input. */
function worstBytes(plainBytes: number): number {
  return plainBytes + (plainBytes >> 10) + 128;
}
