import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from './histogram.ts';

const TICK_SECONDS = 2 ** -22;
const RELATIVE_WIDTH = 1 / 32;
const durations = fc.double({ min: 0, max: 1000, noNaN: true });
const manyDurations = fc.array(durations, { minLength: 1, maxLength: 200, size: 'max' });

function histogramOf(values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.observe(value);
  return histogram;
}

describe('quantile', () => {
  it('is NaN when nothing was observed', () => {
    expect(new Histogram().quantile(0.5)).toBeNaN();
  });

  it('lies within a bucket of the exact quantile', () => {
    fc.assert(
      fc.property(manyDurations, fc.double({ min: 0, max: 1, noNaN: true }), (values, q) => {
        const sorted = values.toSorted((a, b) => a - b);
        const exact = sorted[Math.max(1, Math.ceil(q * sorted.length)) - 1]!;
        const error = Math.abs(histogramOf(values).quantile(q) - exact);
        expect(error).toBeLessThanOrEqual(exact * RELATIVE_WIDTH + TICK_SECONDS);
      }),
    );
  });
});

describe('cumulative', () => {
  it('counts all that is at most the bound and nothing that is a bucket above it', () => {
    const ascending = fc
      .uniqueArray(durations, { minLength: 1, maxLength: 20 })
      .map((x) => x.toSorted((a, b) => a - b));
    fc.assert(
      fc.property(manyDurations, ascending, (values, bounds) => {
        const counts = histogramOf(values).cumulative(bounds);
        for (const [index, bound] of bounds.entries()) {
          const above = bound * (1 + RELATIVE_WIDTH) + TICK_SECONDS;
          expect(counts[index]).toBeGreaterThanOrEqual(values.filter((value) => value <= bound).length);
          expect(counts[index]).toBeLessThanOrEqual(values.filter((value) => value <= above).length);
        }
      }),
    );
  });

  it('counts a value that equals the bound', () => {
    const bounds = [0.0001, 0.25, 1, 10];
    expect(histogramOf(bounds).cumulative(bounds)).toEqual([1, 2, 3, 4]);
  });

  it('counts everything under a bound beyond its range', () => {
    expect(histogramOf([1e9, 5]).cumulative([6, Infinity])).toEqual([1, 2]);
  });
});

it('counts and sums what it observed', () => {
  fc.assert(
    fc.property(manyDurations, (values) => {
      const histogram = histogramOf(values);
      expect(histogram.count).toBe(values.length);
      expect(histogram.sum).toBe(values.reduce((sum, value) => sum + value, 0));
    }),
  );
});

it('takes what is no duration as 0, and what is too long as its maximum', () => {
  const histogram = histogramOf([NaN, -1, -Infinity, -0]);
  expect([histogram.count, histogram.sum]).toEqual([4, 0]);
  histogram.observe(Infinity);
  expect(histogram.count).toBe(5);
  expect(histogram.sum).toBeCloseTo(1024);
  expect(histogram.quantile(1)).toBeGreaterThan(1000);
});

it('keeps to its own region of a shared buffer', () => {
  const buffer = new SharedArrayBuffer(2 * Histogram.byteLength);
  const first = new Histogram({ memory: { buffer, byteOffset: 0 } });
  const second = new Histogram({ memory: { buffer, byteOffset: Histogram.byteLength } });
  first.observe(Infinity);
  expect([first.count, second.count, second.sum]).toEqual([1, 0, 0]);
});
