import type { BrotliWasmType } from 'brotli-wasm';
import { CodecError } from '../codec.ts';
import type { Packer, PackerSettings } from './packer.ts';
import { joinBytes } from './read-up-to.ts';

const defaultQuality = 4;
/** What is decompressed between two looks at the limit. */
const chunkBytes = 1 << 16;

type Zlib = typeof import('node:zlib');
interface MaybeNode {
  readonly process?: { readonly getBuiltinModule?: (id: string) => unknown };
}

/** brotli by `node:zlib` where there is one (Node 20.16 or newer), else by `brotli-wasm`. */
export async function createBrotli({ level }: PackerSettings): Promise<Packer> {
  const quality = level ?? defaultQuality;
  // Unlike an import, this means nothing to bundlers.
  const zlib = (globalThis as MaybeNode).process?.getBuiltinModule?.('node:zlib');
  if (zlib !== undefined) return createNativeBrotli(zlib as Zlib, quality);
  const { default: wasm } = (await import('brotli-wasm')) as unknown as { default: Promise<BrotliWasmType> };
  return createWasmBrotli(await wasm, quality);
}

function createNativeBrotli(zlib: Zlib, quality: number): Packer {
  const params = { [zlib.constants.BROTLI_PARAM_QUALITY]: quality };
  return {
    pack: (plain) => zlib.brotliCompressSync(plain, { params }),
    unpack(packed, maxOutputLength) {
      try {
        const run: unknown = zlib.brotliDecompressSync(packed, { maxOutputLength, info: true });
        const { buffer, engine } = run as { buffer: Uint8Array; engine: { bytesWritten: number } };
        if (engine.bytesWritten < packed.length) throw notBrotli();
        return buffer;
      } catch (error) {
        const tooBig = (error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE';
        throw tooBig ? new CodecError('too-big', `more than ${maxOutputLength} bytes`) : notBrotli();
      }
    },
  };
}

/** brotli by the given instance of `brotli-wasm`. */
export function createWasmBrotli(wasm: BrotliWasmType, quality: number): Packer {
  return {
    pack: (plain) => wasm.compress(plain, { quality }),
    unpack(packed, maxBytes) {
      const stream = new wasm.DecompressStream();
      try {
        return decompress(wasm, stream, packed, maxBytes);
      } catch (error) {
        throw error instanceof CodecError ? error : notBrotli();
      } finally {
        stream.free();
      }
    },
  };
}

function decompress(
  { BrotliStreamResultCode: codes }: BrotliWasmType,
  stream: InstanceType<BrotliWasmType['DecompressStream']>,
  packed: Uint8Array,
  maxBytes: number,
): Uint8Array {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let at = 0;
  for (;;) {
    const result = stream.decompress(packed.subarray(at), chunkBytes);
    const { buf, code, input_offset: readBytes } = result;
    result.free();
    at += readBytes;
    chunks.push(buf);
    length += buf.length;
    if (length > maxBytes) throw new CodecError('too-big', `more than ${maxBytes} bytes`);
    if (code === codes.NeedsMoreOutput) continue;
    if (code !== codes.ResultSuccess || at < packed.length) throw notBrotli();
    return joinBytes(chunks, length);
  }
}

function notBrotli(): CodecError {
  return new CodecError('undecodable', 'not brotli');
}
