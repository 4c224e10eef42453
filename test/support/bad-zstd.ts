import zlib from 'node:zlib';
import { BOMB_BYTES } from './bad-payload.ts';
import type { BadPayload } from './bad-payload.ts';
import { compressInPieces } from './codec-wire.ts';

const MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const MIB = 1 << 20;
const TEXT = Buffer.from('a text that one frame of zstd holds');
const { ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag } = zlib.constants;

/** The parts of a frame's header (RFC 8878 section 3.1.1.1); all may lie. */
interface FrameHeader {
  /** Written in 8 bytes. */
  readonly contentBytes?: number;
  /** Exponent and mantissa; without it the frame is a single segment. */
  readonly window?: number;
  readonly dictionaryId?: number;
  readonly reservedBit?: boolean;
}

/** A frame of these blocks. */
export function zstdFrame(header: FrameHeader, blocks: readonly Buffer[]): Buffer {
  const { contentBytes, window, dictionaryId, reservedBit } = header;
  const descriptor =
    (contentBytes === undefined ? 0 : 0b1100_0000) |
    (window === undefined ? 0b10_0000 : 0) |
    (reservedBit === true ? 0b1000 : 0) |
    (dictionaryId === undefined ? 0 : 0b11);
  const size = Buffer.alloc(contentBytes === undefined ? 0 : 8);
  if (contentBytes !== undefined) size.writeBigUInt64LE(BigInt(contentBytes));
  const dictionary = Buffer.alloc(dictionaryId === undefined ? 0 : 4);
  if (dictionaryId !== undefined) dictionary.writeUInt32LE(dictionaryId);
  const descriptors = Buffer.from(window === undefined ? [descriptor] : [descriptor, window]);
  return Buffer.concat([MAGIC, descriptors, dictionary, size, ...blocks]);
}

/** Type 0 is raw, 1 one byte repeated, 2 compressed, 3 reserved. */
export function zstdBlock(type: number, size: number, content: Buffer, isLast = true): Buffer {
  const header = Buffer.alloc(3);
  header.writeUIntLE((size << 3) | (type << 1) | (isLast ? 1 : 0), 0, 3);
  return Buffer.concat([header, content]);
}

/** A window descriptor: 2^(10 + exponent) bytes and so many eighths more. */
export function windowOf(exponent: number, eighths = 0): number {
  return (exponent << 3) | eighths;
}

const rawBlock = zstdBlock(0, TEXT.length, TEXT);

function repeated(count: number, size: number): Buffer[] {
  return Array.from({ length: count }, (_, i) => zstdBlock(1, size, Buffer.alloc(1), i === count - 1));
}

/** Frames of zstd that are bad in ways of their own. */
export async function zstdVariants(maxDecodedBytes: number): Promise<BadPayload[]> {
  const fine = zlib.zstdCompressSync(TEXT);
  const skippable = Buffer.concat([Buffer.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0]), Buffer.alloc(4)]);
  const checked = zlib.zstdCompressSync(TEXT, { params: { [ZSTD_c_checksumFlag]: 1 } });
  checked[checked.length - 1]! ^= 1;
  const zeros = Array.from({ length: 40 }, () => Buffer.alloc(BOMB_BYTES / 40));
  const unsized = zlib.zstdCompressSync(Buffer.alloc(BOMB_BYTES), {
    params: { [ZSTD_c_contentSizeFlag]: 0 },
  });
  const blocks = Math.floor(maxDecodedBytes / 4) - 100;
  return [
    ['a skippable frame', skippable],
    ['a skippable frame before the message', Buffer.concat([skippable, fine])],
    ['a skippable frame behind the message', Buffer.concat([fine, skippable])],
    ['a frame of zstd 0.7', Buffer.concat([Buffer.from([0x27]), fine.subarray(1)])],
    ['no magic number', fine.subarray(4)],
    ['a wrong checksum', checked],
    ['the reserved bit', zstdFrame({ reservedBit: true, window: windowOf(10) }, [rawBlock])],
    ['a reserved block', zstdFrame({ window: windowOf(10) }, [zstdBlock(3, 4, Buffer.alloc(4))])],
    ['a block of 2 MB', zstdFrame({ window: windowOf(13) }, [zstdBlock(1, 2 * MIB - 1, Buffer.alloc(1))])],
    ['a compressed block of garbage', zstdFrame({ window: windowOf(10) }, [zstdBlock(2, TEXT.length, TEXT)])],
    ['no last block', zstdFrame({ window: windowOf(10) }, [zstdBlock(0, TEXT.length, TEXT, false)])],
    ['an unknown dictionary', zstdFrame({ window: windowOf(10), dictionaryId: 4_242 }, [rawBlock])],
    ['the largest dictionary id', zstdFrame({ window: windowOf(10), dictionaryId: 2 ** 32 - 1 }, [rawBlock])],
    ['a window of 16 MB', zstdFrame({ window: windowOf(14) }, [rawBlock])],
    ['a window of 8 MB and an eighth', zstdFrame({ window: windowOf(13, 1) }, [rawBlock])],
    ['a window of 2 GB', zstdFrame({ window: windowOf(21) }, [rawBlock])],
    ['a window of 3.75 TB', zstdFrame({ window: windowOf(31, 7) }, [rawBlock])],
    ['a content size of less', zstdFrame({ contentBytes: TEXT.length - 1 }, [rawBlock])],
    ['a content size of more', zstdFrame({ contentBytes: TEXT.length + 1 }, [rawBlock])],
    ['a content size of 0', zstdFrame({ contentBytes: 0 }, [rawBlock])],
    ['a content size of the limit', zstdFrame({ contentBytes: maxDecodedBytes }, [rawBlock])],
    ['a content size over the limit', zstdFrame({ contentBytes: maxDecodedBytes + 1 }, [rawBlock]), 1009],
    ['a content size of 2^53', zstdFrame({ contentBytes: 2 ** 53 }, [rawBlock]), 1009],
    ['a bomb that says nothing of its size', unsized, 1009],
    ['a bomb in pieces', await compressInPieces(zlib.createZstdCompress(), zeros), 1009],
    [
      'a bomb that says it holds 100 bytes',
      zstdFrame({ contentBytes: 100, window: windowOf(13) }, repeated(80, 131_072)),
      1009,
    ],
    ['a bomb of 80 repeated bytes', zstdFrame({ window: windowOf(13) }, repeated(80, 131_072)), 1009],
    ['a bomb of 32 GB', zstdFrame({ window: windowOf(13) }, repeated(blocks, 131_072)), 1009],
    [
      'as many empty blocks as fit, and none that is the last',
      zstdFrame(
        { window: windowOf(13) },
        Array.from({ length: blocks }, () => zstdBlock(0, 0, Buffer.alloc(0), false)),
      ),
    ],
  ];
}
