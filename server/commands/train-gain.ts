import type { Dictionary } from '../../codec/dictionary.ts';
import { createZstd } from '../../codec/zstd.ts';

/** What a dictionary is worth: the size of messages, in bytes. */
export interface Gain {
  readonly messages: number;
  readonly plainBytes: number;
  readonly withoutBytes: number;
  readonly withBytes: number;
}

/** The level that messages are packed at, the gateway's default. */
export const gainLevel = 3;

/** Packs each message without the dictionary and with it, as the gateway does. */
export function gainOn(messages: readonly Uint8Array[], dictionary: Dictionary): Gain {
  const packedBytes = (dictionaries: readonly Dictionary[]): number => {
    const codec = createZstd({ zstd: { level: gainLevel, dictionaries } });
    return messages.reduce((sum, message) => sum + codec.encode(message).length, 0);
  };
  return {
    messages: messages.length,
    plainBytes: messages.reduce((sum, { length }) => sum + length, 0),
    withoutBytes: packedBytes([]),
    withBytes: packedBytes([dictionary]),
  };
}
