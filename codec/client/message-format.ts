import { CodecError } from '../codec.ts';
import { carriesText, compressedBit, hasKnownFlags, isCompressed, textBit, withFlags } from '../flags.ts';
import type { Packer } from './packer.ts';

export interface MessageFormatOptions {
  readonly packer: Promise<Packer>;
  /** Messages below this many bytes are not compressed. */
  readonly minBytes: number;
  readonly maxDecodedBytes: number;
}

/**
 * Messages on a connection with a codec: a text message is plain; a binary one begins with a flag byte, of which bit 0
 * says that the payload is compressed and bit 1 that it is text.
 */
export class MessageFormat {
  readonly #packer: Promise<Packer>;
  readonly #minBytes: number;
  readonly #maxDecodedBytes: number;
  readonly #utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  constructor({ packer, minBytes, maxDecodedBytes }: MessageFormatOptions) {
    this.#packer = packer;
    this.#minBytes = minBytes;
    this.#maxDecodedBytes = maxDecodedBytes;
  }

  /** The message to send; compressed only where that makes it smaller. Rejects when the codec cannot be had. */
  async toWire(message: string | Uint8Array): Promise<string | Uint8Array<ArrayBuffer>> {
    const isText = typeof message === 'string';
    // No character takes more than three bytes for each of its UTF-16 units.
    if (isText && message.length * 3 < this.#minBytes) return message;
    const plain = isText ? new TextEncoder().encode(message) : message;
    const unpacked = isText ? message : withFlags(0, plain);
    if (plain.length < this.#minBytes) return unpacked;
    const packed = await (await this.#packer).pack(plain);
    const plainWireBytes = isText ? plain.length : plain.length + 1;
    if (packed.length + 1 >= plainWireBytes) return unpacked;
    return withFlags(compressedBit | (isText ? textBit : 0), packed);
  }

  /** The message that came. Rejects with `CodecError` when it is garbled or too big, and when the codec cannot be had. */
  async fromWire(wire: string | Uint8Array): Promise<string | Uint8Array> {
    if (typeof wire === 'string') return wire;
    if (!hasKnownFlags(wire)) throw new CodecError('undecodable', 'bad flag byte');
    const payload = wire.subarray(1);
    const plain = isCompressed(wire) ? await this.#unpack(payload) : payload;
    return carriesText(wire) ? this.#decodeText(plain) : plain;
  }

  async #unpack(payload: Uint8Array): Promise<Uint8Array> {
    return (await this.#packer).unpack(payload, this.#maxDecodedBytes);
  }

  #decodeText(bytes: Uint8Array): string {
    try {
      return this.#utf8.decode(bytes);
    } catch {
      throw new CodecError('undecodable', 'not UTF-8');
    }
  }
}
