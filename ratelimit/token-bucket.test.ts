import fc from 'fast-check';
import { expect, it } from 'vitest';
import { TokenBucket } from './token-bucket.ts';

const ten = { ratePerSecond: 10, burst: 3, windowMs: 1000 };

it('lets what tokens there are pass at once, and then one in every interval', () => {
  const bucket = new TokenBucket(ten, 1);
  const delays = Array.from({ length: 6 }, () => bucket.takeDelayed(0, 1, 1000, 5000));
  expect(delays).toEqual([0, 0, 0, 100, 200, 300]);
  expect(bucket.takeDelayed(0, 1, 1350, 5000)).toBe(50);
});

it('delays nothing for longer than it may, and then takes nothing', () => {
  const bucket = new TokenBucket(ten, 1);
  const delays = Array.from({ length: 6 }, () => bucket.takeDelayed(0, 1, 1000, 150));
  expect(delays).toEqual([0, 0, 0, 100, -1, -1]);
  expect(bucket.takeDelayed(0, 1, 1050, 150)).toBe(150);
});

it('lets messages pass in their order, and never more than the rate and a burst, when it delays', () => {
  const gaps = fc.array(fc.record({ gapMs: fc.nat(150), cost: fc.integer({ min: 1, max: 3 }) }), {
    maxLength: 100,
    size: 'max',
  });
  fc.assert(
    fc.property(gaps, fc.nat(2000), (messages, maxDelayMs) => {
      const bucket = new TokenBucket(ten, 1);
      const passed: { atMs: number; cost: number }[] = [];
      let nowMs = 1000;
      for (const { gapMs, cost } of messages) {
        nowMs += gapMs;
        const delayMs = bucket.takeDelayed(0, cost, nowMs, maxDelayMs);
        expect(delayMs).toBeLessThanOrEqual(maxDelayMs);
        if (delayMs >= 0) passed.push({ atMs: nowMs + delayMs, cost });
      }
      for (const [first, { atMs }] of passed.entries()) {
        let sum = 0;
        for (const later of passed.slice(first)) {
          sum += later.cost;
          expect(later.atMs).toBeGreaterThanOrEqual(atMs);
          expect(sum).toBeLessThanOrEqual(3 + (10 * (later.atMs - atMs)) / 1000);
        }
      }
    }),
  );
});

it('takes a refund of what was delayed', () => {
  const bucket = new TokenBucket(ten, 1);
  for (let i = 0; i < 5; i++) bucket.takeDelayed(0, 1, 1000, 5000);
  bucket.refund(0, 1);
  expect(bucket.takeDelayed(0, 1, 1000, 5000)).toBe(200);
});

it('holds everything until a block is over', () => {
  const bucket = new TokenBucket(ten, 1);
  bucket.block(0, 2000, 1000);
  expect(bucket.takeDelayed(0, 1, 1500, 1000)).toBe(-1);
  expect([1, 2].map(() => bucket.takeDelayed(0, 1, 1500, 5000))).toEqual([1500, 1600]);
});
