const magic = 0xfd2fb528;
const singleSegmentBit = 0x20;

/** What the header of a zstd frame tells. */
export interface ZstdHeader {
  /** 0 when it needs no dictionary. */
  readonly dictionaryId: number;
  /** undefined when it does not say. */
  readonly contentBytes: number | undefined;
}

/** Reads the header of a frame (RFC 8878 section 3.1.1.1); undefined for what has none, or only a part of one. */
export function readZstdHeader(packed: Uint8Array): ZstdHeader | undefined {
  const descriptor = packed[4] ?? 0;
  const isSingleSegment = (descriptor & singleSegmentBit) !== 0;
  const idAt = isSingleSegment ? 5 : 6;
  const idBytes = [0, 1, 2, 4][descriptor & 3]!;
  const sizeBytes = [isSingleSegment ? 1 : 0, 2, 4, 8][descriptor >> 6]!;
  if (packed.length < idAt + idBytes + sizeBytes || littleEndian(packed, 0, 4) !== magic) return undefined;
  const size = littleEndian(packed, idAt + idBytes, sizeBytes) + (sizeBytes === 2 ? 256 : 0);
  return {
    dictionaryId: littleEndian(packed, idAt, idBytes),
    contentBytes: sizeBytes === 0 ? undefined : size,
  };
}

function littleEndian(from: Uint8Array, at: number, bytes: number): number {
  return from.subarray(at, at + bytes).reduceRight((value, byte) => value * 256 + byte, 0);
}
