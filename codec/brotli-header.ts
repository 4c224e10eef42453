/** The start of a brotli stream (RFC 7932 sections 9.1 and 9.2). */
export interface BrotliHeader {
  /** The content has at least so many bytes. */
  readonly leastBytes: number;
  /** Whether leastBytes is all of it. */
  readonly isAll: boolean;
}

/** Reads the start of a brotli stream: the content's size where its encoder wrote it in one piece. */
export function readBrotliHeader(packed: Uint8Array): BrotliHeader {
  // At most 7 bits for the window and 28 for the first piece.
  const low = (packed[0] ?? 0) | ((packed[1] ?? 0) << 8) | ((packed[2] ?? 0) << 16);
  const high = (packed[3] ?? 0) | ((packed[4] ?? 0) << 8);
  const bits = (at: number, count: number): number =>
    Math.floor((low + high * 0x100_0000) / 2 ** at) % 2 ** count;

  let at = windowFieldBits(low);
  const isLast = bits(at++, 1) === 1;
  if (isLast && bits(at++, 1) === 1) return { leastBytes: 0, isAll: true };
  const nibbles = 4 + bits(at, 2);
  if (nibbles === 7) return { leastBytes: 0, isAll: false };
  return { leastBytes: bits(at + 2, nibbles * 4) + 1, isAll: isLast };
}

/** 1 bit for the window of 64 KB, 4 for larger, 7 for smaller ones. */
function windowFieldBits(low: number): number {
  if ((low & 0b1) === 0) return 1;
  return (low & 0b1110) === 0 ? 7 : 4;
}
