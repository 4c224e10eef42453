import zlib from 'node:zlib';
import { BOMB_BYTES } from './bad-payload.ts';
import type { BadPayload } from './bad-payload.ts';
import { compressInPieces } from './codec-wire.ts';

const TEXT = Buffer.from('a text that one member of gzip holds');
const FLAG = { extra: 4, name: 8, comment: 16 } as const;

/** Members of gzip that are bad in ways of their own. */
export async function gzipVariants(maxDecodedBytes: number): Promise<BadPayload[]> {
  const fine = zlib.gzipSync(TEXT);
  const bomb = zlib.gzipSync(Buffer.alloc(BOMB_BYTES));
  const zeros = Array.from({ length: 40 }, () => Buffer.alloc(BOMB_BYTES / 40));
  return [
    ['a size of less', withSize(fine, TEXT.length - 1)],
    ['a size of more', withSize(fine, TEXT.length + 1)],
    ['a size of 0', withSize(fine, 0)],
    ['a size of the limit', withSize(fine, maxDecodedBytes)],
    ['a size over the limit', withSize(fine, maxDecodedBytes + 1)],
    ['a size of 4 GB', withSize(fine, 2 ** 32 - 1)],
    ['a wrong checksum', withByte(fine, fine.length - 8, 0x55)],
    ['another method', withByte(fine, 2, 7)],
    ['a wrong magic number', withByte(fine, 1, 0x8c)],
    ...[0x20, 0x40, 0x80].map((bit): BadPayload => [`the reserved flag ${bit}`, withByte(fine, 3, bit)]),
    ['an extra field of 64 KB that is not there', withHeader(fine, FLAG.extra, Buffer.from([0xff, 0xff]))],
    ['a name without an end', withHeader(bytesWithoutZero(fine), FLAG.name, Buffer.alloc(0))],
    ['a comment of all there is', withHeader(fine, FLAG.comment, Buffer.alloc(50, 'c'))],
    ['zlib in place of gzip', zlib.deflateSync(TEXT)],
    ['bare deflate in place of gzip', zlib.deflateRawSync(TEXT)],
    ['a bomb in pieces', await compressInPieces(zlib.createGzip(), zeros), 1009],
    ['a bomb that says it holds 100 bytes', withSize(bomb, 100)],
    ['a bomb that says it holds as much as is allowed', withSize(bomb, maxDecodedBytes)],
  ];
}

function withByte(bytes: Buffer, at: number, value: number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = value;
  return changed;
}

function withSize(member: Buffer, size: number): Buffer {
  const changed = Buffer.from(member);
  changed.writeUInt32LE(size, member.length - 4);
  return changed;
}

/** With a flag in the header and something behind it. */
function withHeader(member: Buffer, flag: number, behind: Buffer): Buffer {
  return Buffer.concat([withByte(member.subarray(0, 10), 3, flag), behind, member.subarray(10)]);
}

function bytesWithoutZero(member: Buffer): Buffer {
  return Buffer.concat([member.subarray(0, 10), Buffer.from(member.subarray(10).map((byte) => byte || 1))]);
}
