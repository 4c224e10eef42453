import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Codec } from '../../codec/codec.ts';
import { registry } from '../../codec/registry.ts';

/** How the messages of a client travel. */
export type Packing = 'none' | 'gzip' | 'brotli' | 'zstd' | 'permessage-deflate';

/** What a client says in its opening handshake, how it writes a text, and what a received frame says. */
export interface Packer {
  /** A line of the request, '' for none, and what the answer's head must have. */
  readonly extension: { readonly offer: string; readonly accepted: RegExp };
  /** Returns a whole frame. */
  readonly pack: (text: Buffer) => Buffer;
  /** Returns the text of a data frame; throws when it is none. */
  readonly unpack: (firstByte: number, payload: Buffer) => Uint8Array;
}

const maxDecodedBytes = 1 << 20;
const text = 0x81;
const binary = 0x82;
const deflatedText = 0xc1;
/** Bit 0: compressed, bit 1: text. */
const packedText = 3;
const syncFlushTail = Buffer.from([0, 0, 0xff, 0xff]);

/** Returns the packer, with codecs as the gateway has them by default. */
export function packerFor(packing: Packing): Packer {
  if (packing === 'none')
    return {
      extension: { offer: '', accepted: /101/ },
      pack: (plain) => frame(text, plain),
      unpack: plainText,
    };
  if (packing === 'permessage-deflate') return deflatePacker;
  const settings = { gzip: { level: 6 }, brotli: { quality: 4 }, zstd: { level: 3, dictionaries: [] } };
  return codecPacker(registry[packing](settings));
}

const deflatePacker: Packer = {
  extension: {
    offer:
      'Sec-WebSocket-Extensions: permessage-deflate; client_no_context_takeover; server_no_context_takeover',
    accepted: /sec-websocket-extensions: permessage-deflate/i,
  },
  pack(plain) {
    const deflated = deflateRawSync(plain, { finishFlush: constants.Z_SYNC_FLUSH });
    return frame(deflatedText, deflated.subarray(0, -syncFlushTail.length));
  },
  unpack(firstByte, payload) {
    if (firstByte !== deflatedText) return plainText(firstByte, payload);
    const whole = Buffer.concat([payload, syncFlushTail]);
    return inflateRawSync(whole, { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: maxDecodedBytes });
  },
};

function codecPacker(codec: Codec): Packer {
  return {
    extension: { offer: '', accepted: new RegExp(`wsluice-codec: ${codec.name}`, 'i') },
    pack: (plain) => frame(binary, Buffer.concat([Buffer.from([packedText]), codec.encode(plain)])),
    unpack(firstByte, payload) {
      if (firstByte !== binary) return plainText(firstByte, payload);
      if (payload[0] !== packedText) throw new Error(`wrong reply: flags ${payload[0]}`);
      return codec.decode(payload.subarray(1), maxDecodedBytes);
    },
  };
}

function plainText(firstByte: number, payload: Buffer): Buffer {
  if (firstByte !== text) throw new Error(`wrong reply: a frame that starts with ${firstByte.toString(16)}`);
  return payload;
}

/** A whole frame from a client, with the zero mask key, which is allowed on loopback. */
function frame(firstByte: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  const head =
    length < 126 ? [0x80 | length] : length < 65_536 ? [0xfe, length >> 8, length & 0xff] : undefined;
  if (head === undefined) throw new Error('bug: a packed message must fit the 16-bit frame header');
  return Buffer.concat([Buffer.from([firstByte, ...head, 0, 0, 0, 0]), payload]);
}
