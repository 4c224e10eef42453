import { isUtf8 } from 'node:buffer';
import { CodecError, type Codec } from './codec.ts';
import {
  carriesText,
  compressedBit,
  flagBytes,
  hasKnownFlags,
  isCompressed,
  textBit,
  withFlags,
} from './flags.ts';
import { RecentMessages } from './recent-messages.ts';

/** Below this a message is packed about as fast as it is recognized. */
const memoMinBytes = 512;
/** Above this memory is not kept from one message to the next. */
const keptBytes = 1 << 16;

export interface MessageCodecOptions {
  readonly codec: Codec;
  /** Messages below this many bytes are not compressed. */
  readonly minBytes: number;
  readonly maxDecodedBytes: number;
  readonly bytes: CodecBytes;
}

/** What went through a codec so far, before and after. */
export interface CodecBytes {
  encodedPlain: number;
  encodedPacked: number;
  decodedPacked: number;
  decodedPlain: number;
}

export function zeroCodecBytes(): CodecBytes {
  return { encodedPlain: 0, encodedPacked: 0, decodedPacked: 0, decodedPlain: 0 };
}

/**
 * Messages on a connection with a codec: a text message is plain; a binary one begins with a flag byte, of which bit 0
 * says that the payload is compressed and bit 1 that it is text. All connections of one codec share it.
 */
export class MessageCodec {
  readonly name: string;
  readonly #codec: Codec;
  readonly #minBytes: number;
  readonly #maxDecodedBytes: number;
  readonly #bytes: CodecBytes;
  readonly #recent = new RecentMessages();
  #wire = new Uint8Array(1 << 12);

  constructor({ codec, minBytes, maxDecodedBytes, bytes }: MessageCodecOptions) {
    this.name = codec.name;
    this.#codec = codec;
    this.#minBytes = minBytes;
    this.#maxDecodedBytes = maxDecodedBytes;
    this.#bytes = bytes;
  }

  /** True when a message is better encoded in the thread pool. */
  encodesSlowly(plain: Uint8Array): boolean {
    return plain.length >= this.#minBytes && plain.length >= this.#codec.encodeInPoolFromBytes;
  }

  /**
   * The message as it goes over the wire: `plain` itself for a text that is sent as it is; anything else is a binary
   * message, valid until the next call. It is compressed only where that makes it smaller.
   */
  encode(plain: Uint8Array, isBinary: boolean): Uint8Array {
    return this.counted(plain, this.#encode(plain, isBinary));
  }

  /** The same in the thread pool, and not `counted` yet. `plain` must not change any more. */
  async encodeInPool(plain: Uint8Array, isBinary: boolean): Promise<Uint8Array> {
    const wire = await this.#recent.large(plain, isBinary, async () => {
      const packed = await this.#codec.encodeInPool(plain);
      const smaller = packed.length + flagBytes < plain.length + (isBinary ? flagBytes : 0);
      if (!smaller) return isBinary ? withFlags(0, plain) : undefined;
      return withFlags(compressedBit | (isBinary ? 0 : textBit), packed);
    });
    return wire ?? plain;
  }

  /** Counts what `encodeInPool` made of a message, now that it is sent. */
  counted(plain: Uint8Array, wire: Uint8Array): Uint8Array {
    this.#bytes.encodedPlain += plain.length;
    this.#bytes.encodedPacked += wire.length;
    return wire;
  }

  /** The message as it goes over the wire uncompressed, for when there is no time; as `encode` otherwise. */
  wrap(plain: Uint8Array, isBinary: boolean): Uint8Array {
    return this.counted(plain, isBinary ? this.#flagged(0, plain) : plain);
  }

  /** True when a binary message is better decoded in the thread pool. */
  decodesSlowly(wire: Uint8Array): boolean {
    return isCompressed(wire) && this.#codec.decodesSlowly(wire.subarray(flagBytes));
  }

  /** The payload of a binary message, valid until the next call; `carriesText` tells what it is. Throws `CodecError`. */
  decode(wire: Uint8Array): Uint8Array {
    checkFlags(wire);
    const payload = wire.subarray(flagBytes);
    const plain = isCompressed(wire) ? this.#codec.decode(payload, this.#maxDecodedBytes) : payload;
    return this.#checkDecoded(wire, plain);
  }

  /** The same in the thread pool, where `CodecError` rejects. `wire` must not change any more. */
  async decodeInPool(wire: Uint8Array): Promise<Uint8Array> {
    checkFlags(wire);
    const payload = wire.subarray(flagBytes);
    return this.#checkDecoded(wire, await this.#codec.decodeInPool(payload, this.#maxDecodedBytes));
  }

  /** The payload of a message that this codec has encoded, however large; valid until the next `decode`. */
  unpack(wire: Uint8Array): Uint8Array {
    const payload = wire.subarray(flagBytes);
    return isCompressed(wire) ? this.#codec.decode(payload, Number.MAX_SAFE_INTEGER - 1) : payload;
  }

  #encode(plain: Uint8Array, isBinary: boolean): Uint8Array {
    if (plain.length < this.#minBytes) return isBinary ? this.#flagged(0, plain) : plain;
    const remembers = plain.length >= memoMinBytes;
    const known = remembers ? this.#recent.find(plain, isBinary) : undefined;
    if (known !== undefined) return known;
    const packed = this.#codec.encode(plain);
    const flags = compressedBit | (isBinary ? 0 : textBit);
    const plainBytes = plain.length + (isBinary ? flagBytes : 0);
    if (packed.length + flagBytes >= plainBytes) return isBinary ? this.#flagged(0, plain) : plain;
    const wire = this.#flagged(flags, packed);
    if (remembers) this.#recent.keep(plain, isBinary, wire);
    return wire;
  }

  #flagged(flags: number, payload: Uint8Array): Uint8Array {
    const length = payload.length + flagBytes;
    if (length > keptBytes) return withFlags(flags, payload);
    if (this.#wire.length < length) this.#wire = new Uint8Array(2 * length);
    this.#wire[0] = flags;
    this.#wire.set(payload, flagBytes);
    return this.#wire.subarray(0, length);
  }

  #checkDecoded(wire: Uint8Array, plain: Uint8Array): Uint8Array {
    if (plain.length > this.#maxDecodedBytes) throw new CodecError('too-big', 'the message is too big');
    if (carriesText(wire) && !isUtf8(plain)) throw new CodecError('undecodable', 'the text is not UTF-8');
    this.#bytes.decodedPacked += wire.length;
    this.#bytes.decodedPlain += plain.length;
    return plain;
  }
}

function checkFlags(wire: Uint8Array): void {
  if (!hasKnownFlags(wire)) throw new CodecError('undecodable', 'the flag byte is missing or unknown');
}
