import { CodecError } from '../codec.ts';
import type { Packer } from './packer.ts';
import { readUpTo } from './read-up-to.ts';

/** gzip by the streams of the platform, at its level. */
export function createGzip(): Packer {
  return {
    pack: (plain) => pass(plain, new CompressionStream('gzip'), Infinity),
    async unpack(packed, maxBytes) {
      try {
        return await pass(packed, new DecompressionStream('gzip'), maxBytes);
      } catch (error) {
        throw error instanceof CodecError ? error : new CodecError('undecodable', 'not gzip');
      }
    },
  };
}

function pass(
  bytes: Uint8Array,
  stream: CompressionStream | DecompressionStream,
  maxBytes: number,
): Promise<Uint8Array> {
  const writer = stream.writable.getWriter();
  // What goes wrong is seen where the stream is read.
  writer.write(bytes).catch(() => undefined);
  writer.close().catch(() => undefined);
  return readUpTo(stream.readable, maxBytes);
}
