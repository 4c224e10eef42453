import { Buffer } from 'node:buffer';

const smallestPatchedWindow = 18;

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

/**
 * The same message with the smallest window (of at least 256 KB) that content of maxBytes can need. A stream may name one of 16 MB,
 * and a decoder fills it before it hands out a byte. Content of more than maxBytes may come out wrong after these.
 */
export function withSmallWindow(packed: Uint8Array, maxBytes: number): Uint8Array {
  const first = packed[0]!;
  if (windowFieldBits(first) !== 4) return packed;
  // References that reach back further than the window less 16 bytes mean words of the built-in dictionary.
  const neededBits = Math.max(Math.ceil(Math.log2(maxBytes + 17)), smallestPatchedWindow);
  if (((first >> 1) & 0b111) + 17 <= neededBits) return packed;
  const patched = Buffer.from(packed);
  patched[0] = (first & 0b1111_0000) | ((neededBits - 17) << 1) | 1;
  return patched;
}

/** 1 bit for the window of 64 KB, 4 for larger, 7 for smaller ones. */
function windowFieldBits(low: number): number {
  if ((low & 0b1) === 0) return 1;
  return (low & 0b1110) === 0 ? 7 : 4;
}
