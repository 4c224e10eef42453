import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from './latency-histogram.ts';

describe('LatencyHistogram', () => {
  it('reads out at most 0.1 % above the truth', () => {
    const histogram = new LatencyHistogram();
    for (let us = 1; us <= 100_000; us++) histogram.record(us);
    for (const share of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
      const truth = share * 100_000;
      expect(histogram.quantileUs(share)).toBeGreaterThanOrEqual(truth);
      expect(histogram.quantileUs(share)).toBeLessThanOrEqual(truth * 1.001);
    }
  });

  it('weighs records by how many messages they stand for', () => {
    const histogram = new LatencyHistogram();
    histogram.record(10, 98);
    histogram.record(5_000, 2);
    expect(histogram.quantileUs(0.98)).toBe(10);
    expect(histogram.quantileUs(0.99)).toBe(5_000);
    expect(histogram.maxUs).toBe(5_000);
    expect(histogram.count).toBe(100);
  });

  it('is the same after it was sent to another process, and adds up there', () => {
    const [one, two] = [new LatencyHistogram(), new LatencyHistogram()];
    one.record(100, 3);
    two.record(20_000);
    const merged = LatencyHistogram.decode(one.encoded);
    merged.add(LatencyHistogram.decode(two.encoded));
    expect(merged.count).toBe(4);
    expect(merged.quantileUs(0.75)).toBe(100);
    expect(merged.maxUs / 20_000).toBeCloseTo(1, 2);
  });

  it('counts what is too short or too long as the shortest or longest it has', () => {
    const histogram = new LatencyHistogram();
    histogram.record(-5);
    histogram.record(Infinity);
    expect(histogram.quantileUs(0.5)).toBe(1);
    expect(histogram.maxUs / 600_000_000).toBeCloseTo(1, 2);
  });

  it('says 0, and has no figures, when it has seen nothing', () => {
    expect(new LatencyHistogram().quantileUs(0.5)).toBe(0);
    expect(new LatencyHistogram().figures()).toBeUndefined();
  });

  it('has the percentiles that thor shows, and a curve that climbs to 100 %', () => {
    const histogram = new LatencyHistogram();
    for (let us = 1; us <= 10_000; us++) histogram.record(us);
    const figures = histogram.figures()!;
    expect(figures.percentilesMs['99.9']).toBeCloseTo(9.99, 1);
    expect(figures.percentilesMs['100']).toBeCloseTo(10, 1);
    expect(figures.curve[0]).toEqual([0, 0.001]);
    expect(figures.curve.at(-1)).toEqual([100, figures.maxMs]);
    for (const [i, [percentile, ms]] of figures.curve.entries()) {
      if (i === 0) continue;
      expect(percentile).toBeGreaterThan(figures.curve[i - 1]![0]);
      expect(ms).toBeGreaterThanOrEqual(figures.curve[i - 1]![1]);
    }
  });
});
