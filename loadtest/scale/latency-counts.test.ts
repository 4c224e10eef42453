import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { addCounted, LatencyCounts } from './latency-counts.ts';

it('keeps each latency to a thousandth, never shorter than it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 600_000_000 }), (us) => {
      const counts = new LatencyCounts();
      counts.record(us);
      const [value, count] = counts.take();
      expect(count).toBe(1);
      expect(value).toBeGreaterThanOrEqual(us);
      expect(value).toBeLessThanOrEqual(us * 1.001);
    }),
  );
});

it('gives each second its own, and a histogram all', () => {
  const counts = new LatencyCounts();
  const histogram = new LatencyHistogram();
  for (const us of [50, 50, 3_000]) counts.record(us);
  addCounted(histogram, counts.take());
  counts.record(40_000);
  addCounted(histogram, counts.take());
  expect(counts.take()).toEqual([]);
  expect(histogram.count).toBe(4);
  expect(histogram.quantileUs(0.5)).toBe(50);
});

it('counts what is too short or too long as the shortest or the longest', () => {
  const counts = new LatencyCounts();
  counts.record(-3);
  counts.record(1e12);
  expect(counts.take()).toEqual([1, 1, 2 ** 30 - 1, 1]);
});
