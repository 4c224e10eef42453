import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LeakyBucket } from './leaky-bucket.ts';

const ten = { ratePerSecond: 10, burst: 4, windowMs: 1000 };

it('lets one pass in every interval, as many as it holds, and refuses the rest', () => {
  const bucket = new LeakyBucket(ten, 1);
  const delays = Array.from({ length: 6 }, () => bucket.takeDelayed(0, 1, 1000, 5000));
  expect(delays).toEqual([0, 100, 200, 300, -1, -1]);
  expect(bucket.takeDelayed(0, 1, 1099, 5000)).toBe(-1);
  expect(bucket.takeDelayed(0, 1, 1100, 5000)).toBe(300);
});

it('delays nothing for longer than it may, and then takes nothing', () => {
  const bucket = new LeakyBucket(ten, 1);
  const delays = Array.from({ length: 5 }, () => bucket.takeDelayed(0, 1, 1000, 150));
  expect(delays).toEqual([0, 100, -1, -1, -1]);
  expect(bucket.takeDelayed(0, 1, 1050, 150)).toBe(150);
});

it('keeps at least the time that each message drains in between it and the next', () => {
  const messages = fc.array(fc.record({ gapMs: fc.nat(300), cost: fc.integer({ min: 1, max: 6 }) }), {
    maxLength: 100,
    size: 'max',
  });
  fc.assert(
    fc.property(messages, fc.nat(500), (messages, maxDelayMs) => {
      const bucket = new LeakyBucket(ten, 1);
      let [nowMs, freeMs] = [1000, 0];
      for (const { gapMs, cost } of messages) {
        nowMs += gapMs;
        const delayMs = bucket.takeDelayed(0, cost, nowMs, maxDelayMs);
        expect(delayMs).toBeLessThanOrEqual(maxDelayMs);
        if (delayMs < 0) continue;
        expect(nowMs + delayMs).toBe(Math.max(nowMs, freeMs));
        freeMs = nowMs + delayMs + cost * 100;
      }
    }),
  );
});

it('meters what is not delayed: all it holds passes at once, what does not fit never', () => {
  const bucket = new LeakyBucket(ten, 1);
  expect([1, 2, 3, 4, 5].map(() => bucket.take(0, 1, 1000))).toEqual([0, 0, 0, 0, 100]);
});

it('holds nothing while blocked', () => {
  const bucket = new LeakyBucket(ten, 1);
  bucket.block(0, 2000, 1000);
  expect(bucket.takeDelayed(0, 1, 2000, 1e6)).toBe(-1);
  expect(bucket.takeDelayed(0, 1, 3000, 1e6)).toBe(300);
});
