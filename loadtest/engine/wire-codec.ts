import { carriesText } from '../../codec/flags.ts';
import { MessageCodec, zeroCodecBytes } from '../../codec/message-codec.ts';
import { codecNames, registry, type CodecName } from '../../codec/registry.ts';
import type { Message } from './message.ts';

const minBytes = 1_024;
const maxDecodedBytes = 64 << 20;
const settings = {
  gzip: { level: 6 },
  brotli: { quality: 4 },
  zstd: { level: 3, dictionaries: [] },
};

export function isCodecName(name: string): name is CodecName {
  return codecNames.some((known) => known === name);
}

/** Messages of a connection with a codec as they are on the wire: as `docs/client.md` says it, with the gateway's settings. */
export class WireCodec {
  readonly #codec: MessageCodec;

  constructor(name: CodecName) {
    this.#codec = new MessageCodec({
      codec: registry[name](settings),
      minBytes,
      maxDecodedBytes,
      bytes: zeroCodecBytes(),
    });
  }

  /** The message for the wire, in memory of its own unless it is sent as it is. */
  pack({ bytes, isBinary }: Message): Message {
    const wire = this.#codec.encode(bytes, isBinary);
    return wire === bytes ? { bytes, isBinary } : { bytes: Buffer.from(wire), isBinary: true };
  }

  /** What a received message says, in memory of its own. Throws `CodecError`. */
  unpack(wire: Message): Message {
    if (!wire.isBinary) return wire;
    return { bytes: Buffer.from(this.#codec.decode(wire.bytes)), isBinary: !carriesText(wire.bytes) };
  }
}

const made = new Map<CodecName, WireCodec>();

/** All connections of a process share one for each codec. */
export function wireCodec(name: CodecName): WireCodec {
  const codec = made.get(name) ?? new WireCodec(name);
  made.set(name, codec);
  return codec;
}
