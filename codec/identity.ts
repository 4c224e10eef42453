import { CodecError, type Codec } from './codec.ts';

/** Leaves messages as they are. */
export function createIdentity(): Codec {
  function decode(packed: Uint8Array, maxBytes: number): Uint8Array {
    if (packed.length > maxBytes) throw new CodecError('too-big', `more than ${maxBytes} bytes`);
    return packed;
  }

  return {
    name: 'identity',
    encodeInPoolFromBytes: Infinity,
    encode: (plain) => plain,
    encodeInPool: (plain) => Promise.resolve(plain),
    decodesSlowly: () => false,
    decode,
    decodeInPool: async (packed, maxBytes) => Promise.resolve(decode(packed, maxBytes)),
  };
}
