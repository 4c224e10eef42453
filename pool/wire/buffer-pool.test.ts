import { expect, it } from 'vitest';
import { BufferPool } from './buffer-pool.ts';

const options = { smallestBytes: 16, largestBytes: 64, maxFreeBytes: 64 };

it('hands out powers of two, and what exceeds the largest in whole pages', () => {
  const pool = new BufferPool(options);
  expect([1, 16, 17, 64, 65, 5000].map((bytes) => pool.take(bytes).length)).toEqual([
    16, 16, 32, 64, 4096, 8192,
  ]);
});

it('uses a released block again, given back by a part of it', () => {
  const pool = new BufferPool(options);
  const block = pool.take(20);
  pool.release(block.subarray(0, 3));
  expect(pool.freeBytes).toBe(32);
  expect(pool.take(32).buffer).toBe(block.buffer);
  expect(pool.freeBytes).toBe(0);
});

it('keeps so many bytes of each size and none above the largest', () => {
  const pool = new BufferPool(options);
  const blocks = [...Array<number>(5).fill(16), ...Array<number>(5).fill(64), 65].map((bytes) =>
    pool.take(bytes),
  );
  for (const block of blocks) pool.release(block);
  expect(pool.freeBytes).toBe(64 + 64);
});

it('refuses a block that is free already', () => {
  const pool = new BufferPool(options);
  const block = pool.take(16);
  pool.release(block);
  expect(() => pool.release(block)).toThrow('bug: a block is released twice');
});
