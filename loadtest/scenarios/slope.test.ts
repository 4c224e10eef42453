import { expect, it } from 'vitest';
import { medianSlope } from './slope.ts';
import type { Point } from './slope.ts';

it('finds the slope of a line', () => {
  expect(medianSlope(Array.from({ length: 50 }, (_, i): Point => [i, 3 * i + 7]))).toBeCloseTo(3);
});

it('is not moved by a collection now and then, or by one burst at the end', () => {
  const sawtooth = Array.from({ length: 100 }, (_, i): Point => [i, 100 + (i % 10)]);
  expect(Math.abs(medianSlope(sawtooth))).toBeLessThan(0.05);
  const burst = sawtooth.map(([at, value], i): Point => [at, i > 95 ? 1_000 : value]);
  expect(Math.abs(medianSlope(burst))).toBeLessThan(0.1);
});

it('looks at an hour of samples in no time', () => {
  const hour = Array.from({ length: 3_600 }, (_, i): Point => [i, i]);
  expect(medianSlope(hour)).toBeCloseTo(1);
});

it('says 0 of nothing', () => {
  expect(medianSlope([[1, 5]])).toBe(0);
});
