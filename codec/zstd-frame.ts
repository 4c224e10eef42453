import { Buffer } from 'node:buffer';

const magic = 0xfd2fb528;
const largestBlockBytes = 131_072;
const dictionaryIdBytes = [0, 1, 2, 4];
const contentSizeBytes = [0, 2, 4, 8];
const raw = 0;
const runLength = 1;
const reserved = 3;

/** Reads the outline of a zstd frame (RFC 8878 section 3.1.1) without decoding it; one reader serves any number of frames. */
export class ZstdFrameReader {
  /** 0 when none is named. */
  dictionaryId = 0;
  /** -1 when the header does not say. */
  contentBytes = -1;
  /** How far back the content may refer, and so what a decoder must remember. */
  windowBytes = 0;
  /** The content has at least so many bytes, by its blocks. */
  leastBytes = 0;
  /** … and at most so many. */
  mostBytes = 0;
  #hasChecksum = false;
  #blocksAt = 0;

  /** Reads the header and every block's. False unless `packed` is exactly one whole frame; its blocks may still be garbage. */
  read(packed: Uint8Array): boolean {
    return this.readHeader(packed) && this.#readBlocks(packed);
  }

  /** Reads the header only. False when `packed` does not start with a whole one. */
  readHeader(packed: Uint8Array): boolean {
    if (packed.length < 6 || littleEndian(packed, 0, 4) !== magic) return false;
    const descriptor = packed[4]!;
    if ((descriptor & 0b1000) !== 0) return false;
    const isSingleSegment = (descriptor & 0b10_0000) !== 0;
    this.#hasChecksum = (descriptor & 0b100) !== 0;

    const dictionaryAt = isSingleSegment ? 5 : 6;
    const sizeAt = dictionaryAt + dictionaryIdBytes[descriptor & 0b11]!;
    const sizeBytes = isSingleSegment && descriptor >> 6 === 0 ? 1 : contentSizeBytes[descriptor >> 6]!;
    this.#blocksAt = sizeAt + sizeBytes;
    if (packed.length < this.#blocksAt) return false;
    this.dictionaryId = littleEndian(packed, dictionaryAt, sizeAt - dictionaryAt);
    this.contentBytes = sizeBytes === 0 ? -1 : littleEndian(packed, sizeAt, sizeBytes);
    if (sizeBytes === 2) this.contentBytes += 256;
    this.windowBytes = isSingleSegment ? this.contentBytes : windowBytes(packed[5]!);
    return true;
  }

  #readBlocks(packed: Uint8Array): boolean {
    const blockBytes = Math.min(this.windowBytes, largestBlockBytes);
    this.leastBytes = 0;
    this.mostBytes = 0;
    let at = this.#blocksAt;
    for (let isLast = false; !isLast;) {
      if (at + 3 > packed.length) return false;
      const header = littleEndian(packed, at, 3);
      const type = (header >> 1) & 0b11;
      const size = header >> 3;
      if (type === reserved || size > blockBytes) return false;
      const isPlain = type === raw || type === runLength;
      this.leastBytes += isPlain ? size : 0;
      this.mostBytes += isPlain ? size : blockBytes;
      at += type === runLength ? 4 : 3 + size;
      isLast = (header & 1) === 1;
    }
    return at + (this.#hasChecksum ? 4 : 0) === packed.length;
  }
}

/**
 * The same frame with the size of its content in the header, so that readers can refuse it or make room before they decode.
 * For frames as encoders of streams write them: a window descriptor, neither size nor dictionary. Others are returned as they are.
 */
export function withContentBytes(frame: Uint8Array, contentBytes: number): Uint8Array {
  if ((frame[4]! & 0b1110_0011) !== 0) return frame;
  const sized = Buffer.allocUnsafe(frame.length + 4);
  sized.set(frame.subarray(0, 6));
  sized[4]! |= 0b1000_0000;
  sized.writeUInt32LE(contentBytes, 6);
  sized.set(frame.subarray(6), 10);
  return sized;
}

function windowBytes(descriptor: number): number {
  const base = 2 ** (10 + (descriptor >> 3));
  return base + (base / 8) * (descriptor & 0b111);
}

function littleEndian(from: Uint8Array, at: number, bytes: number): number {
  let value = 0;
  for (let i = at + bytes - 1; i >= at; i--) value = value * 256 + from[i]!;
  return value;
}
