import fc from 'fast-check';
import { expect, it } from 'vitest';
import { HistogramWindow } from './histogram-window.ts';
import { Histogram } from './histogram.ts';

it('is empty until it is advanced, and without what came before it', () => {
  const histogram = new Histogram();
  histogram.observe(1);
  const window = new HistogramWindow(histogram);
  histogram.observe(0.25);
  expect([window.view.count, window.view.quantile(0.5)]).toEqual([0, NaN]);
  window.advance();
  expect([window.view.count, window.view.sum]).toEqual([1, 0.25]);
  window.advance();
  expect([window.view.count, window.view.sum]).toEqual([0, 0]);
});

it('tells of each stretch what a histogram of that stretch alone would', () => {
  const seconds = fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { maxLength: 30 });
  fc.assert(
    fc.property(fc.array(seconds, { maxLength: 5 }), (stretches) => {
      const histogram = new Histogram();
      const window = new HistogramWindow(histogram);
      for (const stretch of stretches) {
        const alone = new Histogram();
        for (const value of stretch) {
          histogram.observe(value);
          alone.observe(value);
        }
        window.advance();
        expect(window.view.count).toBe(alone.count);
        expect(window.view.sum).toBeCloseTo(alone.sum, 6);
        for (const q of [0.5, 0.95, 0.99]) expect(window.view.quantile(q)).toBe(alone.quantile(q));
      }
    }),
  );
});
