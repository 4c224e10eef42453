import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ExactBucket } from '../exact-bucket.fixture.ts';
import { BucketWords } from './thread-bucket-words.ts';
import { memoryOf } from './thread-limits.fixture.ts';
import { ThreadLayout } from './thread-memory.ts';
import { ThreadSettings } from './thread-settings.ts';
import { WindowWords } from './thread-window-words.ts';

const rates = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 10_000_000 }));
const bursts = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 }));
/** In fractions that a double holds exactly, like all times below a year. */
const pausesMs = fc.oneof(fc.nat(50), fc.nat(3_000), fc.nat(3_000_000)).map((fractions) => fractions / 1024);
const cost = fc.integer({ min: 1, max: 5 });
const takes = fc.array(fc.record({ pauseMs: pausesMs, cost }), { maxLength: 200, size: 'max' });

it('lets the word of a bucket pass what an exact bucket would, three ticks late at most', () => {
  fc.assert(
    fc.property(rates, bursts, takes, (ratePerSecond, burst, asked) => {
      const layout = new ThreadLayout(memoryOf({ ratePerSecond, burst }));
      const settings = new ThreadSettings(layout);
      const words = new BucketWords(layout, settings);
      const exact = new ExactBucket({ rate: ratePerSecond, burst });
      let nowMs = 0;
      for (const { pauseMs, cost } of asked) {
        nowMs += pauseMs;
        const granted = words.lease(0, cost, cost, nowMs, 0);
        const fits = exact.fits(cost, nowMs);
        if (granted > 0) {
          expect(fits).toBe(true);
          exact.add(cost, nowMs);
        } else if (fits) {
          expect(words.peek(0, cost, nowMs) * settings.ticksPerMs).toBeLessThan(3);
        }
      }
    }),
    { numRuns: 200 },
  );
});

it('counts a window whose limit fits as exactly as two plain counters', () => {
  const asks = fc.array(fc.record({ pauseMs: fc.nat(400), cost }), { maxLength: 200, size: 'max' });
  fc.assert(
    fc.property(fc.integer({ min: 5, max: 1023 }), asks, (limit, asked) => {
      const windowMs = 1000;
      const layout = new ThreadLayout(
        memoryOf({ strategy: 'sliding-window', ratePerSecond: limit, windowMs }),
      );
      const words = new WindowWords(layout, new ThreadSettings(layout));
      let [startMs, previous, current, nowMs] = [0, 0, 0, 0];
      for (const { pauseMs, cost } of asked) {
        nowMs += pauseMs;
        for (; nowMs - startMs >= windowMs && previous + current > 0; startMs += windowMs) {
          [previous, current] = [current, 0];
        }
        if (previous + current === 0) startMs = nowMs;
        const before = previous * (windowMs - (nowMs - startMs)) - windowMs;
        const isAllowed = Math.max(0, before) + (current + cost) * windowMs <= limit * windowMs;
        expect(words.lease(0, cost, cost, nowMs) > 0).toBe(isAllowed);
        if (isAllowed) current += cost;
      }
    }),
    { numRuns: 200 },
  );
});
