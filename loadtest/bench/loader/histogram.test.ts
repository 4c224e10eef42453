import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './histogram.ts';

describe('LatencyHistogram', () => {
  it('reads out at most 2.2 % above the truth', () => {
    const histogram = new LatencyHistogram();
    for (let us = 1; us <= 100_000; us++) histogram.record(us, 1);
    for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
      const truth = share * 100_000;
      expect(histogram.quantileUs(share)).toBeGreaterThanOrEqual(truth);
      expect(histogram.quantileUs(share)).toBeLessThanOrEqual(truth * 1.022);
    }
  });

  it('weighs records by how many messages they stand for', () => {
    const histogram = new LatencyHistogram();
    histogram.record(10, 98);
    histogram.record(5_000, 2);
    expect(histogram.quantileUs(0.98)).toBeLessThan(11);
    expect(histogram.quantileUs(0.99)).toBe(5_000);
    expect(histogram.maxUs).toBe(5_000);
  });

  it('says 0 when it has seen nothing', () => {
    expect(new LatencyHistogram().quantileUs(0.5)).toBe(0);
  });
});
