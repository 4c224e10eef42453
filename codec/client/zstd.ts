import { compressUsingDict, createCCtx, createDCtx, decompressUsingDict, init } from '@bokuweb/zstd-wasm';
import { CodecError } from '../codec.ts';
import { ZstdFrameReader } from '../zstd-frame.ts';
import type { Packer, PackerSettings } from './packer.ts';

const defaultLevel = 3;
const noDictionary = new Uint8Array(0);

// There is one instance of the WebAssembly for all connections; a second init() would pull the memory from under the first.
await init();
const compression = createCCtx();
const decompression = createDCtx();

/** zstd by WebAssembly. Packs with the dictionary that the server used last, so never with one that the server does not know. */
export function createZstd({ level = defaultLevel, dictionaries }: PackerSettings): Packer {
  const frame = new ZstdFrameReader();
  let dictionaryOfServer: Uint8Array = noDictionary;
  return {
    pack: (plain) => compressUsingDict(compression, plain, dictionaryOfServer, level),
    async unpack(packed, maxBytes) {
      if (!frame.read(packed)) throw undecodable();
      // The library allocates what the header claims.
      if (Math.max(frame.contentBytes, frame.leastBytes) > maxBytes) throw tooBig(maxBytes);
      const roomBytes = Math.min(frame.mostBytes, maxBytes);
      if (frame.dictionaryId === 0) return decompress(packed, noDictionary, roomBytes);
      const { bytes } = await dictionaries.find(frame.dictionaryId);
      dictionaryOfServer = bytes;
      return decompress(packed, bytes, roomBytes);
    },
  };
}

/** `roomBytes` counts where the header does not tell the size. */
function decompress(packed: Uint8Array, dictionary: Uint8Array, roomBytes: number): Uint8Array {
  try {
    return decompressUsingDict(decompression, packed, dictionary, { defaultHeapSize: roomBytes });
  } catch (error) {
    throw isTooSmall(error) ? tooBig(roomBytes) : undecodable();
  }
}

/** True for ZSTD_error_dstSize_tooSmall, which the library tells only in its message. */
function isTooSmall(error: unknown): boolean {
  return error instanceof Error && error.message.endsWith(' -70');
}

function undecodable(): CodecError {
  return new CodecError('undecodable', 'not zstd');
}

function tooBig(maxBytes: number): CodecError {
  return new CodecError('too-big', `more than ${maxBytes} bytes`);
}
