import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { attempt, describeCodec, describeCompression, expectFault } from './codec.contract.ts';
import { jsonMessage, readDictionary, seeded } from './messages.fixture.ts';
import { openOneShot } from './reused-stream.ts';
import { streamed } from './streamed.fixture.ts';
import { createZstd } from './zstd.ts';
import { ZstdFrameReader } from './zstd-frame.ts';

const { ZSTD_c_compressionLevel, ZSTD_c_checksumFlag, ZSTD_c_windowLog } = zlib.constants;
const current = readDictionary('json-rpc');
const older = readDictionary('events');
const withNone = { zstd: { level: 3, dictionaries: [] } };
const withBoth = { zstd: { level: 3, dictionaries: [current, older] } };

describeCodec('zstd', () => createZstd(withNone));
describeCompression('zstd', () => createZstd(withNone), {
  pack: zlib.zstdCompressSync,
  unpack: zlib.zstdDecompressSync,
});
describeCodec('zstd by public calls', () => createZstd(withBoth, openOneShot));
describeCodec('zstd with dictionaries', () => createZstd(withBoth));
describeCompression('zstd with dictionaries', () => createZstd(withBoth), {
  pack: (plain) => zlib.zstdCompressSync(plain, { dictionary: older.bytes }),
  unpack: (packed) => zlib.zstdDecompressSync(packed, { dictionary: current.bytes }),
});

describe('zstd', () => {
  const message = jsonMessage(280, seeded(1));
  const large = jsonMessage(10_000, seeded(2));
  const frame = new ZstdFrameReader();

  it('packs with the first dictionary, and much smaller than without', () => {
    const packed = createZstd(withBoth).encode(message);
    expect(frame.read(packed)).toBe(true);
    expect(frame.dictionaryId).toBe(current.id);
    expect(packed.length).toBeLessThan(createZstd(withNone).encode(message).length * 0.8);
  });

  it('unpacks what any of its dictionaries packed, and what none did', () => {
    const codec = createZstd(withBoth);
    for (const dictionaries of [[], [older], [current]]) {
      const packed = createZstd({ zstd: { level: 1, dictionaries } }).encode(message);
      expect(message.equals(codec.decode(packed, 1000))).toBe(true);
    }
  });

  it('refuses an unknown dictionary', async () => {
    const packed = Buffer.from(createZstd(withBoth).encode(message));
    await expectFault('undecodable', createZstd(withNone), packed, 1000);
    await expectFault('undecodable', createZstd({ zstd: { level: 3, dictionaries: [older] } }), packed, 1000);
  });

  it('refuses a dictionary that is damaged, or has the id of another, from the start', () => {
    const damaged = { id: 7, bytes: current.bytes.map((byte, i) => (i < 8 ? byte : 255)) };
    const bad = { code: 'WSLUICE_DICTIONARY' };
    for (const dictionaries of [[damaged], [older, damaged], [current, older, current]])
      expect(() => createZstd({ zstd: { level: 3, dictionaries } })).toThrow(expect.objectContaining(bad));
  });

  it('says how large its content is, from both sides of the thread pool', async () => {
    const codec = createZstd(withNone);
    for (const packed of [codec.encode(large), await codec.encodeInPool(large)]) {
      expect(frame.read(packed)).toBe(true);
      expect(frame.contentBytes).toBe(large.length);
    }
  });

  it.each([-5, 1, 5, 9, 19, 22])('packs at level %d, again and again', async (level) => {
    const codec = createZstd({ zstd: { level, dictionaries: [current] } });
    const smaller = createZstd({ zstd: { level: 1, dictionaries: [current] } }).encode(large).length;
    for (let round = 0; round < 3; round++) {
      const packed = Buffer.from(codec.encode(large));
      expect(large.equals(codec.decode(packed, 20_000))).toBe(true);
      expect(large.equals(codec.decode(await codec.encodeInPool(large), 20_000))).toBe(true);
      if (level > 1) expect(packed.length).toBeLessThan(smaller);
    }
  });

  it('unpacks the frames of streaming encoders, which do not say how large they are', async () => {
    const codec = createZstd(withNone);
    const parts = [message, large, message];
    const packed = await streamed(zlib.createZstdCompress(), parts);
    const plain = Buffer.concat(parts);
    expect(frame.read(packed) && frame.contentBytes).toBe(-1);
    expect(plain.equals(codec.decode(packed, plain.length))).toBe(true);
    expect(plain.equals(await codec.decodeInPool(packed, plain.length))).toBe(true);
    await expectFault('too-big', codec, packed, plain.length - 1);
    for (let end = 0; end < packed.length; end += 7)
      expect(attempt(() => codec.decode(packed.subarray(0, end), 20_000))).toBe('undecodable');
  });

  it('refuses a window of more than 8 MB', async () => {
    const params = { [ZSTD_c_windowLog]: 24 };
    const packed = await streamed(zlib.createZstdCompress({ params }), [message, large]);
    await expectFault('undecodable', createZstd(withNone), packed, 20_000);
  });

  it('refuses skippable frames, alone, before and after a message', async () => {
    const skippable = Buffer.from('502a4d180300000061626300', 'hex').subarray(0, 11);
    const packed = zlib.zstdCompressSync(message);
    for (const bad of [skippable, Buffer.concat([skippable, packed]), Buffer.concat([packed, skippable])])
      await expectFault('undecodable', createZstd(withNone), bad, 1000);
  });

  it('refuses a wrong checksum, and a wrong size', async () => {
    const codec = createZstd(withNone);
    const params = { [ZSTD_c_checksumFlag]: 1, [ZSTD_c_compressionLevel]: 3 };
    const packed = zlib.zstdCompressSync(message, { params });
    expect(message.equals(codec.decode(packed, 1000))).toBe(true);
    await expectFault('undecodable', codec, flipped(packed, packed.length - 1), 1000);
    // Behind magic number and descriptor, the header of a small message has two bytes of size and nothing else.
    for (const at of [5, 6]) await expectFault('undecodable', codec, flipped(packed, at), 1_000_000);
  });
});

function flipped(packed: Buffer, at: number): Buffer {
  return Buffer.from(packed.map((byte, i) => (i === at ? byte ^ 1 : byte)));
}
