/** Bit 0 of the byte that a binary message begins with: the rest is compressed. */
export const compressedBit = 1;
/** Bit 1: the rest is text. */
export const textBit = 2;
/** How many bytes the flags take. */
export const flagBytes = 1;

/** False for a message without a flag byte, or with bits that mean nothing. */
export function hasKnownFlags(wire: Uint8Array): boolean {
  return wire.length > 0 && (wire[0]! & ~(compressedBit | textBit)) === 0;
}

/** True when the payload of this binary message is compressed. */
export function isCompressed(wire: Uint8Array): boolean {
  return (wire[0]! & compressedBit) !== 0;
}

/** True when the payload of this binary message is text. */
export function carriesText(wire: Uint8Array): boolean {
  return (wire[0]! & textBit) !== 0;
}

/** A binary message in memory of its own. */
export function withFlags(flags: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const wire = new Uint8Array(payload.length + flagBytes);
  wire[0] = flags;
  wire.set(payload, flagBytes);
  return wire;
}
