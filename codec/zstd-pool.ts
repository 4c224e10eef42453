import zlib from 'node:zlib';
import { Buffer } from 'node:buffer';
import { createRequire } from 'node:module';
import type { ZlibOptions } from './one-shot.ts';
import { withContentBytes } from './zstd-frame.ts';

/** Packs a message in the thread pool. */
export type PackInPool = (plain: Uint8Array) => Promise<Uint8Array>;

/**
 * `@mongodb-js/zstd` makes room for content of any size, which above this level takes longer than packing a message. Below, it takes
 * half the time of Node's own.
 */
const highestLevelOfAddon = 9;

/** The fastest way to pack at this level. `options` say the same to Node's own zstd. */
export function openPackInPool(level: number, options: ZlibOptions): PackInPool {
  const addon = level <= highestLevelOfAddon ? loadAddon() : undefined;
  if (addon === undefined) return (plain) => packByStream(plain, options);
  return async (plain) => {
    const input = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength);
    return withContentBytes(await addon.compress(input, level), plain.length);
  };
}

interface Addon {
  compress(plain: Buffer, level: number): Promise<Uint8Array>;
}

/** Undefined where it has no binary for this machine. */
function loadAddon(): Addon | undefined {
  try {
    // Its index.js drops the level.
    return createRequire(import.meta.url)('@mongodb-js/zstd/bindings.js') as Addon;
  } catch {
    return undefined;
  }
}

/** Node's own: a stream, and not zstdCompress(), so that it knows the size at the start and its memory is free at the end. */
export function packByStream(plain: Uint8Array, options: ZlibOptions): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const chunkSize = plain.length + (plain.length >> 8) + 128;
    const sized: ZlibOptions = { ...options, chunkSize, pledgedSrcSize: plain.length };
    const stream = zlib.createZstdCompress(sized);
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('end', () => {
      // close() frees nothing, and megabytes would stay until the next garbage collection.
      (stream as unknown as zlib.ZlibReset).reset();
      resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
    });
    stream.end(plain);
  });
}
