import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ExactLog } from './exact-log.fixture.ts';
import { SlidingWindow } from './sliding-window.ts';

const windowMs = 1000;
const load = fc.double({ min: 0.2, max: 10, noNaN: true });

/** What a window let pass of these arrivals, beside what an exact log would have. */
function besideExactLog(limit: number, arrivals: readonly number[]) {
  const window = new SlidingWindow({ ratePerSecond: limit, burst: 1, windowMs }, 1);
  const [passed, exact] = [new ExactLog(windowMs), new ExactLog(windowMs)];
  let mostInWindow = 0;
  for (const nowMs of arrivals) {
    if (exact.countAt(nowMs) < limit) exact.add(nowMs);
    if (window.take(0, 1, nowMs) > 0) continue;
    passed.add(nowMs);
    mostInWindow = Math.max(mostInWindow, passed.countAt(nowMs));
  }
  return { mostInWindow, passed: passed.total, exact: exact.total };
}

function evenly(perSecond: number, seconds: number): number[] {
  return Array.from({ length: perSecond * seconds }, (_, i) => 5000 + (i * 1000) / perSecond);
}

/** Poisson arrivals. */
function randomly(perSecond: number, seconds: number, random: () => number): number[] {
  const arrivals: number[] = [];
  for (let nowMs = 5000; nowMs < 5000 + seconds * 1000; arrivals.push(nowMs)) {
    nowMs -= (Math.log(1 - random()) * 1000) / perSecond;
  }
  return arrivals;
}

it('limits an even load as an exact log does, but for one in a window', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 100 }), load, (limit, load) => {
      const { mostInWindow, passed, exact } = besideExactLog(limit, evenly(limit * load, 30));
      expect(mostInWindow).toBeLessThanOrEqual(limit + 1);
      // One in each of 30 windows.
      expect(Math.abs(passed - exact)).toBeLessThanOrEqual(30);
    }),
    { numRuns: 40 },
  );
});

it('passes all of an even load at the limit', () => {
  for (const limit of [1, 2, 4, 5, 10, 100, 1000]) {
    const { passed, exact } = besideExactLog(limit, evenly(limit, 20));
    expect([passed, exact]).toEqual([20 * limit, 20 * limit]);
  }
});

it('limits a random load to what its docstring says', () => {
  fc.assert(
    fc.property(load, fc.integer(), (load, seed) => {
      const { mostInWindow, passed, exact } = besideExactLog(100, randomly(100 * load, 60, seeded(seed)));
      expect(mostInWindow).toBeLessThanOrEqual(120);
      expect(passed / exact).toBeLessThan(1.03);
      expect(passed / exact).toBeGreaterThan(0.99);
    }),
    { numRuns: 60 },
  );
});

it('lets twice the limit into a window at worst', () => {
  const arrival = fc.oneof(
    fc.constant(0),
    fc.nat(300).map((ms) => ms + 1 / 3),
    fc.constantFrom(999.75, 1000),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(arrival, { maxLength: 300, size: 'max' }),
      (limit, gaps) => {
        let nowMs = 5000;
        const arrivals = gaps.flatMap((gapMs) => Array<number>(3).fill((nowMs += gapMs)));
        expect(besideExactLog(limit, arrivals).mostInWindow).toBeLessThanOrEqual(2 * limit);
      },
    ),
  );
  const first = [5000];
  const burst = Array<number>(100).fill(5999);
  expect(
    besideExactLog(100, [...first, ...burst, ...evenly(1000, 2).map((ms) => ms + 1000)]).mostInWindow,
  ).toBeGreaterThan(190);
});

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
