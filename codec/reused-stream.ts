import { Buffer } from 'node:buffer';
import { CodecError, type CodecFault } from './codec.ts';
import { runOnce, type ZlibOptions, type ZlibStream, type SyncCall } from './one-shot.ts';

const smallestArenaBytes = 65_536;
/** A message of 1 MB and the one byte that says there is no more. */
const largestKeptArenaBytes = 1_048_576 + 1;
const growth = 16;

/** One direction of one algorithm of node:zlib. */
export interface StreamKind {
  readonly create: (options: ZlibOptions) => ZlibStream;
  /** The public call that does the same for a single message. */
  readonly call: SyncCall;
  readonly options: ZlibOptions;
  /** The flush flag that ends a message. */
  readonly endFlag: number;
  /** False where the end of a message leaves the stream ready for the next one; a reset would lose its settings. */
  readonly resets: boolean;
  /** Any message that it takes; shows whether the stream does what the public call does. */
  readonly sample: Uint8Array;
}

/** Takes whole messages, each independent of the ones before. */
export interface MessageStream {
  /** How many bytes of the input the last message took: less than all when it ended before. */
  readonly takenBytes: number;
  /**
   * Runs a message through. `expectedBytes` of output are made room for; a packer needs its worst case. The result is valid until
   * the next call. Throws `CodecError`: too-big for more than maxBytes, undecodable for what the stream does not take.
   */
  run(input: Uint8Array, expectedBytes: number, maxBytes: number): Uint8Array;
}

/** The memory that streams write into, one at a time. */
export class Arena {
  #bytes: Uint8Array | undefined;

  /** At least this many bytes, of any content. Large ones are not kept: memory falls again after a burst. */
  take(minBytes: number): Uint8Array {
    if (this.#bytes !== undefined && this.#bytes.length >= minBytes) return this.#bytes;
    const bytes = Buffer.allocUnsafeSlow(Math.max(minBytes, smallestArenaBytes));
    this.#bytes = bytes.length > largestKeptArenaBytes ? undefined : bytes;
    return bytes;
  }
}

/** A stream that serves message after message where this Node allows it, else the public calls: slower, and the same results. */
export function openStream(kind: StreamKind, arena: Arena): MessageStream {
  try {
    const stream = new ReusedStream(kind, arena);
    if (agreesWithPublicCall(stream, kind) && agreesWithPublicCall(stream, kind)) return stream;
  } catch {
    // An unknown Node: what it has under `_handle` is something else.
  }
  return openOneShot(kind);
}

/** The public call behind the same face: it builds and drops a native stream per message. */
export function openOneShot(kind: StreamKind): MessageStream {
  const stream = {
    takenBytes: 0,
    run(input: Uint8Array, expectedBytes: number, maxBytes: number): Uint8Array {
      const { output, takenBytes } = runOnce(kind.call, input, kind.options, expectedBytes, maxBytes);
      stream.takenBytes = takenBytes;
      return output;
    },
  };
  return stream;
}

function agreesWithPublicCall(stream: MessageStream, kind: StreamKind): boolean {
  const room = 1000 + kind.sample.length * 2;
  const wanted = runOnce(kind.call, kind.sample, kind.options, room, room).output;
  const made = stream.run(kind.sample, room, room);
  return Buffer.compare(made, wanted) === 0 && stream.takenBytes === kind.sample.length;
}

/** What a stream of node:zlib works with; minizlib and pngjs rely on the same. */
interface NativeHandle {
  onerror: (message: string) => void;
  writeSync(
    flag: number,
    input: Uint8Array,
    inOffset: number,
    inBytes: number,
    output: Uint8Array,
    outOffset: number,
    outBytes: number,
  ): void;
  reset(): void;
}

/** One native stream, used for every message: building one costs more than packing a small message. */
class ReusedStream implements MessageStream {
  readonly #kind: StreamKind;
  readonly #arena: Arena;
  #stream!: ZlibStream;
  #handle!: NativeHandle;
  /** What is left after a write: [output, input]. */
  #left!: Uint32Array;
  #fault: string | undefined;
  #takenBytes = 0;

  constructor(kind: StreamKind, arena: Arena) {
    this.#kind = kind;
    this.#arena = arena;
    this.#open();
  }

  get takenBytes(): number {
    return this.#takenBytes;
  }

  run(input: Uint8Array, expectedBytes: number, maxBytes: number): Uint8Array {
    // One byte more than needed: output that fills its room might go on.
    const limit = maxBytes + 1;
    let output = this.#arena.take(Math.min(expectedBytes + 1, limit));
    let end = Math.min(output.length, limit);
    let made = 0;
    let taken = 0;
    for (;;) {
      this.#handle.writeSync(
        this.#kind.endFlag,
        input,
        taken,
        input.length - taken,
        output,
        made,
        end - made,
      );
      if (this.#fault !== undefined) throw this.#abandon('undecodable', this.#fault);
      made = end - this.#left[0]!;
      taken = input.length - this.#left[1]!;
      if (made < end) break;
      if (made === limit) throw this.#abandon('too-big', `more than ${maxBytes} bytes`);
      // In large steps: memory that nothing is written to costs nothing, and each step is a copy.
      const longer = this.#arena.take(Math.min(end * growth, limit));
      longer.set(output.subarray(0, made));
      output = longer;
      end = Math.min(output.length, limit);
    }
    if (this.#kind.resets) this.#handle.reset();
    this.#takenBytes = taken;
    return output.subarray(0, made);
  }

  /** Half a message is in the stream, and an error sticks to it: where a reset does not help, the next message gets a new one. */
  #abandon(fault: CodecFault, message: string): CodecError {
    // Also before the end of a stream: zstd's close() frees nothing.
    this.#handle.reset();
    if (fault === 'undecodable' || !this.#kind.resets) {
      this.#stream.destroy();
      this.#open();
    }
    return new CodecError(fault, message);
  }

  #open(): void {
    this.#stream = this.#kind.create({ ...this.#kind.options, chunkSize: 64 });
    const internals = this.#stream as unknown as { _handle: NativeHandle; _writeState: Uint32Array };
    this.#handle = internals._handle;
    this.#left = internals._writeState;
    this.#fault = undefined;
    // Its own handler destroys the stream object, for which nobody listens here.
    this.#handle.onerror = (message) => {
      this.#fault = message;
    };
  }
}
