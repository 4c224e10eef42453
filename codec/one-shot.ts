import { constants } from 'node:buffer';
import type { Transform } from 'node:stream';
import { CodecError } from './codec.ts';

const smallestChunkBytes = 64;

/** What the calls of node:zlib take, across its algorithms. */
export interface ZlibOptions {
  readonly level?: number;
  readonly params?: Readonly<Record<number, number>>;
  readonly dictionary?: Uint8Array;
  /** zstd: how large the message will be. */
  readonly pledgedSrcSize?: number;
  readonly chunkSize?: number;
  readonly maxOutputLength?: number;
  readonly info?: boolean;
}

/** A stream of node:zlib, of any of its algorithms. */
export type ZlibStream = Transform;

/** `gzipSync` and its like. */
export type SyncCall = (input: Uint8Array, options: ZlibOptions) => unknown;

/** `gzip` and its like. */
export type PoolCall = (
  input: Uint8Array,
  options: ZlibOptions,
  done: (error: Error | null, result: unknown) => void,
) => void;

/** What came out of a message, and how many bytes of the input it took. */
export interface Run {
  readonly output: Uint8Array;
  readonly takenBytes: number;
}

/** Runs one message through a public call of node:zlib, in this thread. Throws `CodecError`. */
export function runOnce(
  call: SyncCall,
  input: Uint8Array,
  options: ZlibOptions,
  expectedBytes: number,
  maxBytes: number,
): Run {
  try {
    return toRun(call(input, withRoom(options, expectedBytes, maxBytes)), maxBytes);
  } catch (error) {
    throw toCodecError(error);
  }
}

/** The same in the thread pool; rejects with `CodecError`. */
export function runInPool(
  call: PoolCall,
  input: Uint8Array,
  options: ZlibOptions,
  expectedBytes: number,
  maxBytes: number,
): Promise<Run> {
  return new Promise((resolve, reject) => {
    call(input, withRoom(options, expectedBytes, maxBytes), (error, result) => {
      try {
        if (error) throw error;
        resolve(toRun(result, maxBytes));
      } catch (fault) {
        reject(toCodecError(fault));
      }
    });
  });
}

/** One chunk for all of the output: with many small ones, each is a turn through the pool, and they are joined by a copy. */
function withRoom(options: ZlibOptions, expectedBytes: number, maxBytes: number): ZlibOptions {
  const chunkSize = Math.max(Math.min(expectedBytes, maxBytes) + 1, smallestChunkBytes);
  const maxOutputLength = Math.min(Math.max(maxBytes, 1), constants.MAX_LENGTH);
  return { ...options, chunkSize, maxOutputLength, info: true };
}

function toRun(result: unknown, maxBytes: number): Run {
  const { buffer, engine } = result as { buffer: Uint8Array; engine: { bytesWritten: number } };
  if (buffer.length > maxBytes) throw new CodecError('too-big', `more than ${maxBytes} bytes`);
  return { output: buffer, takenBytes: engine.bytesWritten };
}

function toCodecError(error: unknown): CodecError {
  if (error instanceof CodecError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new CodecError(code === 'ERR_BUFFER_TOO_LARGE' ? 'too-big' : 'undecodable', message);
}
