import zlib from 'node:zlib';
import { expect, it } from 'vitest';
import { jsonMessage, noise, seeded } from './messages.fixture.ts';
import { openPackInPool, packByStream } from './zstd-pool.ts';
import { ZstdFrameReader } from './zstd-frame.ts';

const { ZSTD_c_compressionLevel } = zlib.constants;
const options = (level: number) => ({ params: { [ZSTD_c_compressionLevel]: level } });
const frame = new ZstdFrameReader();

it.each([
  ['by the addon', openPackInPool(3, options(3))],
  ['by Node, at levels too high for the addon', openPackInPool(12, options(12))],
  ['by Node, where there is no addon', (plain: Uint8Array) => packByStream(plain, options(3))],
])('packs %s, and the frame says how large its content is', async (_, pack) => {
  for (const plain of [
    Buffer.alloc(0),
    jsonMessage(300, seeded(1)),
    jsonMessage(200_000, seeded(2)),
    noise(70_000, seeded(3)),
  ]) {
    const packed = await pack(plain);
    expect(frame.read(packed) && frame.contentBytes).toBe(plain.length);
    expect(plain.equals(zlib.zstdDecompressSync(packed))).toBe(true);
  }
});

it('packs at the level asked for', async () => {
  const plain = jsonMessage(100_000, seeded(4));
  const sizes: number[] = [];
  for (const level of [1, 6, 9]) sizes.push((await openPackInPool(level, options(level))(plain)).length);
  expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
  expect(new Set(sizes).size).toBe(3);
});
