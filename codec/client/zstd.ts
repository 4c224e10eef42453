import { compressUsingDict, createCCtx, createDCtx, decompressUsingDict, init } from '@bokuweb/zstd-wasm';
import { CodecError } from '../codec.ts';
import type { Packer, PackerSettings } from './packer.ts';
import { readZstdHeader } from './zstd-header.ts';

const defaultLevel = 3;
const noDictionary = new Uint8Array(0);

// There is one instance of the WebAssembly for all connections; a second init() would pull the memory from under the first.
await init();
const compression = createCCtx();
const decompression = createDCtx();

/** zstd by WebAssembly. Packs with the dictionary that the server used last, so never with one that the server does not know. */
export function createZstd({ level = defaultLevel, dictionaries }: PackerSettings): Packer {
  let dictionaryOfServer: Uint8Array = noDictionary;
  return {
    pack: (plain) => compressUsingDict(compression, plain, dictionaryOfServer, level),
    async unpack(packed, maxBytes) {
      const header = readZstdHeader(packed);
      if (header === undefined) throw new CodecError('undecodable', 'not zstd');
      // The library allocates what the header claims.
      if ((header.contentBytes ?? 0) > maxBytes) throw tooBig(maxBytes);
      if (header.dictionaryId === 0) return decompress(packed, noDictionary, maxBytes);
      const { bytes } = await dictionaries.find(header.dictionaryId);
      dictionaryOfServer = bytes;
      return decompress(packed, bytes, maxBytes);
    },
  };
}

function decompress(packed: Uint8Array, dictionary: Uint8Array, maxBytes: number): Uint8Array {
  try {
    return decompressUsingDict(decompression, packed, dictionary, { defaultHeapSize: maxBytes });
  } catch (error) {
    throw isTooSmall(error) ? tooBig(maxBytes) : new CodecError('undecodable', 'not zstd');
  }
}

/** True for ZSTD_error_dstSize_tooSmall, which the library tells only in its message. */
function isTooSmall(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith(' -70');
}

function tooBig(maxBytes: number): CodecError {
  return new CodecError('too-big', `more than ${maxBytes} bytes`);
}
