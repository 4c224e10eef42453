import { crc32 } from 'node:zlib';

const headerBytes = 10;
/** The CRC and the size behind the deflate data. */
export const trailerBytes = 8;
const hasHeaderCrc = 0b10;
const hasExtra = 0b100;
const hasName = 0b1000;
const hasComment = 0b1_0000;
const reserved = 0b1110_0000;

/** Where the deflate data of a gzip member starts (RFC 1952 section 2.3); it ends 8 bytes before the end. -1 if it is not one. */
export function deflateStart(packed: Uint8Array): number {
  if (packed.length < headerBytes + trailerBytes) return -1;
  if (packed[0] !== 0x1f || packed[1] !== 0x8b || packed[2] !== 8) return -1;
  const flags = packed[3]!;
  if ((flags & reserved) !== 0) return -1;
  let at = headerBytes;
  if ((flags & hasExtra) !== 0) at += 2 + packed[at]! + packed[at + 1]! * 256;
  if ((flags & hasName) !== 0) at = afterZero(packed, at);
  if ((flags & hasComment) !== 0) at = afterZero(packed, at);
  if ((flags & hasHeaderCrc) !== 0) {
    const crc = crc32(packed.subarray(0, at)) & 0xffff;
    if (crc !== packed[at]! + packed[at + 1]! * 256) return -1;
    at += 2;
  }
  return at <= packed.length - trailerBytes ? at : -1;
}

/** How many bytes it holds, modulo 2^32, as its trailer says. */
export function contentBytes(packed: Uint8Array): number {
  return littleEndian(packed, packed.length - 4);
}

/** The CRC-32 of what it holds, as its trailer says. */
export function contentCrc(packed: Uint8Array): number {
  return littleEndian(packed, packed.length - trailerBytes);
}

function afterZero(packed: Uint8Array, from: number): number {
  const zero = packed.indexOf(0, from);
  return zero === -1 ? packed.length : zero + 1;
}

function littleEndian(from: Uint8Array, at: number): number {
  return (from[at]! | (from[at + 1]! << 8) | (from[at + 2]! << 16) | (from[at + 3]! << 24)) >>> 0;
}
