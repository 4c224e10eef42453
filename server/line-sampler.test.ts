import { expect, test } from 'vitest';
import { LineSampler } from './line-sampler.ts';

test('allows so many lines within any second, and tells how many were left out', () => {
  const sampler = new LineSampler(2);
  const taken = [0, 400, 500, 999, 1_000, 1_001, 1_399, 1_400].map((nowMs) => sampler.take(nowMs));
  expect(taken).toEqual([0, 0, -1, -1, 2, -1, -1, 2]);
  expect(sampler.take(100_000)).toBe(0);
});

test('allows none where none are wanted', () => {
  const sampler = new LineSampler(0);
  expect([0, 5_000, 10_000].map((nowMs) => sampler.take(nowMs))).toEqual([-1, -1, -1]);
});
