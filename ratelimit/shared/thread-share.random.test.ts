import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ExactBucket } from '../exact-bucket.fixture.ts';
import { limiterOn, memoryOf, takeAll } from './thread-limits.fixture.ts';
import type { ThreadLimiter } from './thread-limiter.ts';

/** Mostly slow ones, of which a single unit too many is seen. */
const rates = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 50, max: 5000 }));
/** Large enough for a thread to lease more than it is asked for. */
const bursts = fc.integer({ min: 64, max: 600 });
const strategies = fc.constantFrom<Strategy>(
  'token-bucket',
  'token-bucket',
  'token-bucket',
  'sliding-window',
);
type Strategy = 'token-bucket' | 'sliding-window';

const moves = fc.array(
  fc.record({
    thread: fc.nat(2),
    /** In quarters of the time that a unit takes, */
    quarters: fc.nat(10),
    /** and this much beside it, in fractions that a double holds exactly. */
    fractions: fc.oneof(fc.constant(0), fc.integer({ min: -40, max: 40 })),
    count: fc.oneof(
      { weight: 4, arbitrary: fc.nat(3) },
      { weight: 2, arbitrary: fc.nat(40) },
      { weight: 1, arbitrary: fc.constant(Infinity) },
    ),
    sweeps: fc.boolean(),
    refunds: fc.nat(3),
  }),
  { maxLength: 60, size: 'max' },
);
type Move = (typeof moves extends fc.Arbitrary<infer T> ? T : never)[number];

/** Has the threads do it, and tells of every take at its time. */
function play(
  asked: readonly Move[],
  ratePerSecond: number,
  threads: readonly ThreadLimiter[],
  onTake: (passes: boolean, nowMs: number) => void,
): void {
  let nowMs = 0;
  for (const { thread, quarters, fractions, count, sweeps, refunds } of asked) {
    nowMs += Math.max(0, Math.round((quarters * 250 * 1024) / ratePerSecond) + fractions) / 1024;
    const limiter = threads[thread % threads.length]!;
    if (sweeps) limiter.sweep(nowMs);
    if (refunds > 0 && limiter.take(0, refunds, nowMs) === 0) limiter.refund(0, refunds);
    for (let i = 0, passes = true; passes && i < count; i++) {
      passes = limiter.take(0, 1, nowMs) === 0;
      onTake(passes, nowMs);
    }
  }
}

it('never lets three threads pass more than one bucket would, at any time, whatever they lease and give back', () => {
  fc.assert(
    fc.property(strategies, rates, bursts, moves, (strategy, rate, burst, asked) => {
      const isBucket = strategy === 'token-bucket';
      // Of a window's limit, too, a 64th is at least one.
      const ratePerSecond = isBucket ? rate : rate + 64;
      const memory = memoryOf({ strategy, ratePerSecond, burst });
      const threads = [limiterOn(memory), limiterOn(memory), limiterOn(memory)];
      // With two counters, too, no stretch of time sees more than one window, one, and what the rate adds.
      const exact = new ExactBucket({ rate: ratePerSecond, burst: isBucket ? burst : ratePerSecond + 1 });
      play(asked, ratePerSecond, threads, (passes, nowMs) => {
        if (!passes) return;
        expect(exact.fits(1, nowMs)).toBe(true);
        exact.add(1, nowMs);
      });
    }),
    { numRuns: 1500 },
  );
});

it('lets one thread alone pass what an exact bucket would, a sixteenth of a millisecond late at most', () => {
  fc.assert(
    fc.property(rates, bursts, moves, (ratePerSecond, burst, asked) => {
      // In thousandths of a unit, it holds less by what drains in a sixteenth of a millisecond.
      const missing = Math.ceil(ratePerSecond / 16);
      const late = new ExactBucket({ rate: ratePerSecond * 1000, burst: burst * 1000 - missing });
      const limiter = limiterOn(memoryOf({ ratePerSecond, burst }));
      play(asked, ratePerSecond, [limiter], (passes, nowMs) => {
        if (passes) late.add(1000, nowMs);
        else expect(late.fits(1000, nowMs)).toBe(false);
      });
    }),
    { numRuns: 300 },
  );
});

it.each([
  { part: 0.1, thirds: 2 },
  { part: 0.5, thirds: 2 },
  { part: 1, thirds: 1 },
])(
  'lets four threads pass all of an even load at $part of the rate, $thirds/3 of a burst beside it, and all of one after a pause',
  ({ part, thirds }) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 50, max: 1_000_000 }),
        fc.integer({ min: 64, max: 20_000 }),
        fc.array(fc.nat(3), { minLength: 20, maxLength: 20 }),
        (ratePerSecond, burst, turns) => {
          const memory = memoryOf({ ratePerSecond, burst });
          const threads = Array.from({ length: 4 }, () => limiterOn(memory));
          let [nowMs, passed] = [0, 0];
          for (let i = 0; i < 5000; i++) {
            nowMs += 1000 / (ratePerSecond * part);
            passed += takeAll(threads[turns[i % turns.length]!]!, 0, nowMs, 1);
          }
          expect(passed).toBe(5000);
          expect(takeAll(threads[0]!, 0, nowMs)).toBeGreaterThanOrEqual(Math.floor((burst * thirds) / 3));
          const fullMs = Math.max(6, (burst * 1000) / ratePerSecond + 1);
          for (const limiter of threads) limiter.sweep(nowMs + fullMs);
          // The last one may be a tick late.
          expect(takeAll(threads[1]!, 0, nowMs + 2 * fullMs)).toBeGreaterThanOrEqual(burst - 1);
        },
      ),
      { numRuns: 50 },
    );
  },
);
