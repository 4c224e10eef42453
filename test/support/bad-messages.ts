import { BOMB_BYTES } from './bad-payload.ts';
import type { BadPayload } from './bad-payload.ts';
import { FLAG, compress, withFlags } from './codec-wire.ts';
import type { CodecName } from './codec-wire.ts';
import { noise, prose } from './codec-messages.ts';
import { seededRandom } from './random.ts';
import { gzipVariants } from './bad-gzip.ts';
import { brotliVariants } from './bad-brotli.ts';
import { zstdVariants } from './bad-zstd.ts';

/** A binary message that no receiver may take, and the close code that tells why. */
export interface BadMessage {
  readonly what: string;
  readonly wire: Buffer;
  /** 1007: not a message of this codec; 1009: too big after decoding. */
  readonly code: 1007 | 1009;
}

const LATIN1 = Buffer.from([0xc3, 0x28, 0xff, 0xfe]);

/** Messages that are bad in every way we know, for a receiver that takes up to `maxDecodedBytes`, which are less than a bomb. */
export async function badMessages(codec: CodecName, maxDecodedBytes: number): Promise<BadMessage[]> {
  const flags = [4, 8, 16, 32, 64, 128].flatMap((bit) =>
    [0, FLAG.compressed, FLAG.text].map((others) => ({
      what: `flag byte ${bit | others}`,
      wire: withFlags(bit | others, compress(codec, Buffer.from('fine otherwise'))),
      code: 1007 as const,
    })),
  );
  const own = codec === 'identity' ? [] : await packedPayloads(codec, maxDecodedBytes);
  return [
    ...flags,
    { what: 'no flag byte', wire: Buffer.alloc(0), code: 1007 },
    { what: 'text that is not UTF-8', wire: withFlags(FLAG.text, LATIN1), code: 1007 },
    {
      what: 'compressed text that is not UTF-8',
      wire: withFlags(FLAG.text | FLAG.compressed, compress(codec, LATIN1)),
      code: 1007,
    },
    {
      what: 'one byte more than allowed, uncompressed',
      wire: withFlags(0, Buffer.alloc(maxDecodedBytes + 1)),
      code: 1009,
    },
    {
      what: 'one byte more than allowed',
      wire: withFlags(FLAG.compressed, compress(codec, Buffer.alloc(maxDecodedBytes + 1))),
      code: 1009,
    },
    ...own.map(([what, payload, code = 1007]) => ({ what, wire: withFlags(FLAG.compressed, payload), code })),
  ];
}

type Packer = Exclude<CodecName, 'identity'>;

async function packedPayloads(codec: Packer, maxDecodedBytes: number): Promise<BadPayload[]> {
  const random = seededRandom(5);
  const small = compress(codec, Buffer.from(prose(300, random)));
  const large = compress(codec, Buffer.from(prose(maxDecodedBytes * 0.9, random)));
  const others = (['zstd', 'brotli', 'gzip'] as const).filter((other) => other !== codec);
  const whole: BadPayload[] = [
    ['nothing', Buffer.alloc(0)],
    ['garbage', noise(300, random)],
    ['much garbage', noise(maxDecodedBytes / 2, random)],
    ['zeros', Buffer.alloc(100)],
    ['ones', Buffer.alloc(100, 0xff)],
    ['plain text', Buffer.from('{"jsonrpc":"2.0"}')],
    ...others.map((other): BadPayload => [
      `a message of ${other}`,
      compress(other, Buffer.from(prose(300, random))),
    ]),
  ];
  const damaged = (size: string, packed: Buffer): BadPayload[] => [
    ...[1, 2, 4, 8, packed.length >> 1, packed.length - 1].map((length): BadPayload => [
      `${size}, cut after ${length} bytes`,
      packed.subarray(0, length),
    ]),
    [`${size}, and a byte behind it`, Buffer.concat([packed, Buffer.from([7])])],
    [`${size}, and zeros behind it`, Buffer.concat([packed, Buffer.alloc(64)])],
    [`${size}, twice`, Buffer.concat([packed, packed])],
    [`${size}, and an empty one behind it`, Buffer.concat([packed, compress(codec, Buffer.alloc(0))])],
    [`${size}, and one behind it that is cut`, Buffer.concat([packed, small.subarray(0, small.length >> 1)])],
  ];
  const bomb = compress(codec, Buffer.alloc(BOMB_BYTES));
  const variants = { zstd: zstdVariants, brotli: brotliVariants, gzip: gzipVariants }[codec];
  return [
    ...whole,
    ...damaged('a small message', small),
    ...damaged('a large message', large),
    ['a bomb', bomb, 1009],
    ...(await variants(maxDecodedBytes)),
  ];
}
