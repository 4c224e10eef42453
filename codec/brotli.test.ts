import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createBrotli } from './brotli.ts';
import { describeCodec, describeCompression, expectFault } from './codec.contract.ts';
import { jsonMessage, noise, seeded } from './messages.fixture.ts';
import { openOneShot } from './reused-stream.ts';
import { streamed } from './streamed.fixture.ts';

const { BROTLI_PARAM_QUALITY, BROTLI_PARAM_LGWIN, BROTLI_PARAM_LARGE_WINDOW } = zlib.constants;
const settings = { brotli: { quality: 4 } };

describeCodec('brotli', () => createBrotli(settings));
describeCodec('brotli by public calls', () => createBrotli(settings, openOneShot));
describeCompression('brotli', () => createBrotli(settings), {
  pack: (plain) => zlib.brotliCompressSync(plain, { params: { [BROTLI_PARAM_QUALITY]: 5 } }),
  unpack: (packed) => zlib.brotliDecompressSync(packed),
});

describe('brotli', () => {
  it.each([0, 1, 2, 5, 9, 11])('packs at quality %d, and understands it', (quality) => {
    const codec = createBrotli({ brotli: { quality } });
    const message = jsonMessage(5000, seeded(quality));
    expect(message.equals(codec.decode(codec.encode(message), 10_000))).toBe(true);
  });

  it.each([10, 16, 17, 18, 22, 24])('unpacks streams with a window of 2^%d bytes', async (windowBits) => {
    const codec = createBrotli(settings);
    // What is far apart is alike, so that references reach as far back as they can.
    const far = noise(150_000, seeded(windowBits));
    const plain = [far, jsonMessage(100_000, seeded(1)), far];
    const params = { [BROTLI_PARAM_QUALITY]: 5, [BROTLI_PARAM_LGWIN]: windowBits };
    const packed = await streamed(zlib.createBrotliCompress({ params }), plain);
    const bytes = Buffer.concat(plain).length;
    for (const maxBytes of [bytes, 262_144 * 4, 100_000_000]) {
      expect(Buffer.concat(plain).equals(codec.decode(packed, maxBytes))).toBe(true);
      expect(Buffer.concat(plain).equals(await codec.decodeInPool(packed, maxBytes))).toBe(true);
    }
    await expectFault('too-big', codec, packed, bytes - 1);
    expect(codec.decodesSlowly(packed)).toBe(true);
  });

  it('refuses windows beyond the format', async () => {
    const params = { [BROTLI_PARAM_LARGE_WINDOW]: true, [BROTLI_PARAM_LGWIN]: 28 };
    const packed = zlib.brotliCompressSync(jsonMessage(1000, seeded(2)), { params });
    await expectFault('undecodable', createBrotli(settings), packed, 10_000);
  });
});
