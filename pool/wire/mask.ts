import { randomFillSync } from 'node:crypto';

const BLOCK_KEYS = 1024;

/** Unpredictable masking keys (RFC 6455 section 5.3), drawn from the system in blocks of 1,024. */
export class MaskKeys {
  #block: Int32Array<ArrayBuffer> | undefined;
  #next = BLOCK_KEYS;

  /** A new key; its lowest byte comes first on the wire. */
  next(): number {
    if (this.#next === BLOCK_KEYS) {
      this.#block ??= new Int32Array(BLOCK_KEYS);
      randomFillSync(this.#block);
      this.#next = 0;
    }
    return this.#block![this.#next++]!;
  }
}

/** Masks or unmasks `bytes[start..end)` in place. `words` views the same memory from its first byte, little-endian. */
export function maskInPlace(
  bytes: Uint8Array,
  words: Int32Array,
  start: number,
  end: number,
  key: number,
): void {
  let i = start;
  let phase = 0;
  for (; i < end && (i & 3) !== 0; phase += 8) bytes[i++]! ^= key >>> phase;
  const turned = (key >>> phase) | (key << (32 - phase));
  const lastWord = end >> 2;
  for (let word = i >> 2; word < lastWord; word++) words[word]! ^= turned;
  if (i < lastWord << 2) i = lastWord << 2;
  for (phase = 0; i < end; phase += 8) bytes[i++]! ^= turned >>> phase;
}
