import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Pacer } from './pacer.ts';

it('has a message due every so often, and none after the last', () => {
  const pacer = new Pacer({ startMs: 1_000, ratePerSecond: 500, total: 4, phase: 0 });
  expect([0, 1, 2, 3].map((message) => pacer.dueMs(message))).toEqual([1_000, 1_002, 1_004, 1_006]);
  expect([999, 1_000, 1_001.9, 1_002.1, 9_000].map((nowMs) => pacer.dueBy(nowMs))).toEqual([0, 1, 1, 2, 4]);
});

it('interleaves loaders that share a rate', () => {
  const due = [0, 0.25, 0.5, 0.75].flatMap((phase) => {
    const pacer = new Pacer({ startMs: 0, ratePerSecond: 250, total: 250, phase });
    return Array.from({ length: 250 }, (_, message) => pacer.dueMs(message));
  });
  const gaps = due.sort((a, b) => a - b).map((ms, i) => ms - (due[i - 1] ?? -1));
  for (const gap of gaps) expect(gap).toBeCloseTo(1, 6);
});

it('never has a message due before its time, nor late by more than it is', () => {
  fc.assert(
    fc.property(
      fc.double({ min: 0.1, max: 500_000, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.double({ min: 0, max: 60_000, noNaN: true }),
      (ratePerSecond, phase, elapsedMs) => {
        const pacer = new Pacer({ startMs: 5_000, ratePerSecond, total: 1e9, phase });
        const due = pacer.dueBy(5_000 + elapsedMs);
        const slackMs = 1e-3;
        if (due > 0) expect(pacer.dueMs(due - 1)).toBeLessThanOrEqual(5_000 + elapsedMs + slackMs);
        expect(pacer.dueMs(due)).toBeGreaterThanOrEqual(5_000 + elapsedMs - slackMs);
      },
    ),
  );
});
