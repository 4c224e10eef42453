import zlib from 'node:zlib';
import { BOMB_BYTES } from './bad-payload.ts';
import type { BadPayload } from './bad-payload.ts';
import { compressInPieces } from './codec-wire.ts';
import { noise } from './codec-messages.ts';
import { seededRandom } from './random.ts';

const MIB = 1 << 20;
const { BROTLI_PARAM_LARGE_WINDOW, BROTLI_PARAM_LGWIN, BROTLI_PARAM_QUALITY } = zlib.constants;

/** Streams of brotli that are bad in ways of their own. */
export async function brotliVariants(maxDecodedBytes: number): Promise<BadPayload[]> {
  const zeros = Array.from({ length: 40 }, () => Buffer.alloc(BOMB_BYTES / 40));
  const largest = { params: { [BROTLI_PARAM_LGWIN]: 24, [BROTLI_PARAM_QUALITY]: 4 } };
  const incompressible = noise(64, seededRandom(9));
  const inPieces = (lgwin: number): Promise<Buffer> =>
    compressInPieces(zlib.createBrotliCompress({ params: { [BROTLI_PARAM_LGWIN]: lgwin } }), zeros);
  return [
    ['a bomb in pieces', await inPieces(22), 1009],
    ['a bomb in pieces with a window of 16 MB', await inPieces(24), 1009],
    ['a bomb in pieces with a window of 64 KB', await inPieces(16), 1009],
    ['a bomb with a window of 16 MB', zlib.brotliCompressSync(Buffer.alloc(BOMB_BYTES), largest), 1009],
    [
      'a window of 1 GB, which only an extension of brotli has',
      zlib.brotliCompressSync(Buffer.alloc(2 * MIB), {
        params: { [BROTLI_PARAM_LARGE_WINDOW]: 1, [BROTLI_PARAM_LGWIN]: 30 },
      }),
    ],
    // 24 bits of window, then a piece of 16 MB of which little is there (RFC 7932 section 9.2).
    [
      'a piece of 16 MB that is not there',
      Buffer.concat([Buffer.from([0x0f, 0xfc, 0xff, 0xff, 0x0f]), incompressible]),
    ],
    ['a reserved window', Buffer.concat([Buffer.from([0x11]), incompressible])],
    ['metadata, and no end', Buffer.from([0x0d, 0x03, 0x00, 0x00])],
    [
      'as much as is allowed, cut',
      zlib.brotliCompressSync(noise(maxDecodedBytes, seededRandom(4))).subarray(0, 1_000),
    ],
  ];
}
