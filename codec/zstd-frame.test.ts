import zlib from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { jsonMessage, readDictionary, seeded } from './messages.fixture.ts';
import { streamed } from './streamed.fixture.ts';
import { withContentBytes, ZstdFrameReader } from './zstd-frame.ts';

const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag, ZSTD_c_contentSizeFlag } = zlib.constants;
const frame = new ZstdFrameReader();

describe('ZstdFrameReader', () => {
  it('finds where every frame ends, and what is in it', () => {
    const kind = fc.record({
      bytes: fc.oneof(fc.nat(300), fc.nat(70_000), fc.nat(400_000)),
      level: fc.constantFrom(-3, 1, 3, 9),
      checksum: fc.nat(1),
      sized: fc.nat(1),
      text: fc.boolean(),
      dictionary: fc.constantFrom(undefined, readDictionary('events')),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(kind, ({ bytes, level, checksum, sized, text, dictionary, seed }) => {
        const plain = text ? jsonMessage(bytes, seeded(seed)) : Buffer.alloc(bytes, seed);
        const params = {
          [ZSTD_c_compressionLevel]: level,
          [ZSTD_c_checksumFlag]: checksum,
          [ZSTD_c_contentSizeFlag]: sized,
        };
        const packed = zlib.zstdCompressSync(plain, {
          params,
          ...(dictionary && { dictionary: dictionary.bytes }),
        });
        expect(frame.read(packed)).toBe(true);
        expect(frame.contentBytes).toBe(sized === 1 ? plain.length : -1);
        expect(frame.dictionaryId).toBe(dictionary?.id ?? 0);
        expect(frame.leastBytes).toBeLessThanOrEqual(plain.length);
        expect(frame.mostBytes).toBeGreaterThanOrEqual(plain.length);
        expect(frame.read(Buffer.concat([packed, Buffer.of(0)]))).toBe(false);
        expect(frame.read(packed.subarray(0, seed % packed.length))).toBe(false);
      }),
    );
  });

  it('knows what blocks of one byte, repeated, come to', async () => {
    const packed = await streamed(zlib.createZstdCompress(), [Buffer.of(1), Buffer.alloc(1_000_000)]);
    expect(frame.read(packed)).toBe(true);
    expect(frame.leastBytes).toBeGreaterThan(500_000);
  });

  it.each([
    ['a reserved bit', '28b52ffd2c01010000'],
    ['a reserved block type', '28b52ffd20010f0000ff'],
    ['a block larger than the window', '28b52ffd2001110000ffff'],
    ['no block', '28b52ffd2001'],
    ['half a header', '28b52ffd80'],
    ['another magic number', '27b52ffd2001090000ff'],
  ])('refuses %s', (_, hex) => {
    expect(frame.read(Buffer.from('28b52ffd2001090000ff', 'hex'))).toBe(true);
    expect(frame.read(Buffer.from(hex, 'hex'))).toBe(false);
  });
});

describe('withContentBytes', () => {
  it('names the size in the header of a frame that has none', async () => {
    const plain = jsonMessage(5000, seeded(1));
    const packed = withContentBytes(await streamed(zlib.createZstdCompress(), [plain]), plain.length);
    expect(frame.read(packed)).toBe(true);
    expect(frame.contentBytes).toBe(plain.length);
    expect(plain.equals(zlib.zstdDecompressSync(packed))).toBe(true);
  });

  it('leaves a frame alone that has one', () => {
    const packed = zlib.zstdCompressSync('sized');
    expect(withContentBytes(packed, 5)).toBe(packed);
  });
});
