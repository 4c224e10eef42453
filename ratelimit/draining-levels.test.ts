import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DrainingLevels } from './draining-levels.ts';
import { ExactBucket } from './exact-bucket.fixture.ts';

const burst = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1e9 }));
const wholeRate = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.integer({ min: 1, max: 1e9 }));
const anyRate = fc.oneof(wholeRate, fc.double({ min: 0.001, max: 1e9, noNaN: true }));
const fraction = fc.tuple(fc.integer({ min: 1, max: 16_000 }), fc.integer({ min: 2, max: 3600 }));
/** Up to 115 days of uptime. */
const startMs = fc.constantFrom(1, 1e5 + 1 / 3, 1e7, 1e10);
/** How long a step takes, in what the cost of it takes to drain, and the cost as a share of the burst. */
const steps = fc.array(
  fc.tuple(
    fc.oneof(fc.constant(0), fc.constant(1), fc.double({ min: -0.2, max: 2.5, noNaN: true })),
    fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1.2, noNaN: true })),
  ),
  { minLength: 1, maxLength: 80, size: 'max' },
);
type Steps = readonly (readonly [number, number])[];

it('never lets pass what an exact bucket would refuse, on any clock, at any rate', () => {
  fc.assert(
    fc.property(anyRate, burst, startMs, steps, (ratePerSecond, burst, startMs, steps) => {
      const levels = new DrainingLevels({ ratePerSecond, burst, windowMs: 1 }, 1);
      const exact = new ExactBucket({ rate: ratePerSecond, burst });
      for (const { cost, nowMs } of run(steps, { ratePerSecond, burst, startMs, clock: (ms) => ms })) {
        if (!levels.fill(0, cost, nowMs)) continue;
        expect(exact.fits(cost, nowMs)).toBe(true);
        exact.add(cost, nowMs);
      }
    }),
    { numRuns: 500 },
  );
});

it('does not drain anything twice between two ticks', () => {
  const [ratePerSecond, burst] = [1e9, 4000];
  // A thousand drain in a tick of 1/1024 ms, and the clock goes by eighths of it.
  const messages = fc.array(fc.tuple(fc.nat(20), fc.integer({ min: 1, max: burst })), {
    maxLength: 50,
    size: 'max',
  });
  fc.assert(
    fc.property(messages, (messages) => {
      const levels = new DrainingLevels({ ratePerSecond, burst, windowMs: 1 }, 1);
      const exact = new ExactBucket({ rate: ratePerSecond, burst });
      let eighths = 8e6;
      for (const [gap, cost] of messages) {
        eighths += gap;
        const nowMs = eighths / 8192;
        if (!levels.fill(0, cost, nowMs)) continue;
        expect(exact.fits(cost, nowMs)).toBe(true);
        exact.add(cost, nowMs);
      }
    }),
    { numRuns: 1000 },
  );
});

it('decides as an exact bucket does on a clock of whole ticks', () => {
  const simpleRate = fc.oneof(
    wholeRate.map((rate) => [rate, 1] as const),
    fraction,
  );
  const smallBurst = fc.integer({ min: 1, max: 1000 });
  fc.assert(
    fc.property(simpleRate, smallBurst, startMs, steps, (rate, burst, startMs, steps) => {
      const ratePerSecond = rate[0] / rate[1];
      const levels = new DrainingLevels({ ratePerSecond, burst, windowMs: 1 }, 1);
      const exact = new ExactBucket({ rate, burst });
      // A tick of at least 2^-8 ms: the finest one that every one of these scales has.
      const clock = (ms: number): number => Math.round(ms * 2 ** 8) / 2 ** 8;
      for (const { cost, nowMs } of run(steps, { ratePerSecond, burst, startMs, clock })) {
        const fits = exact.fits(cost, nowMs);
        expect(levels.fill(0, cost, nowMs)).toBe(fits);
        if (fits) exact.add(cost, nowMs);
      }
    }),
    { numRuns: 500 },
  );
});

it.each([1 / 7, 0.1, 3, 999.9999, 1000 / 3, 12_345.678, 1e6 + 0.5, 1e9])(
  'lets 99.99 percent of a rate of %d per second pass, after any uptime',
  (rate) => {
    for (const [cost, uptimeMs] of [1, 1000].flatMap((cost) => [1, 1e10].map((ms) => [cost, ms] as const))) {
      const burst = Math.max(20 * cost, rate / 1000);
      const threeTicks = (3 * rate) / 1e6;
      const levels = new DrainingLevels({ ratePerSecond: rate, burst, windowMs: 1 }, 1);
      levels.overfill(0, burst, uptimeMs);
      // Asked more often than something fits, and no more often than a double can tell apart after 115 days.
      const gapMs = Math.max(((cost / rate) * 1000) / 3.1, 1e-5);
      let taken = 0;
      let nowMs = uptimeMs;
      for (let i = 0; i < 30_000; i++) {
        nowMs += gapMs;
        while (levels.fill(0, cost, nowMs)) taken += cost;
      }
      const allowed = ((nowMs - uptimeMs) * rate) / 1000;
      expect(taken).toBeLessThanOrEqual(allowed);
      expect(taken).toBeGreaterThan(allowed * 0.9999 - 2 * cost - threeTicks);
    }
  },
);

it.each([1, 1e9])('works at one in eleven days, and a burst of %d', (burst) => {
  const [ratePerSecond, dayMs] = [0.000001, 86_400_000];
  const levels = new DrainingLevels({ ratePerSecond, burst, windowMs: 1 }, 1);
  expect(levels.fill(0, burst, 1)).toBe(true);
  expect(levels.fill(0, 1, 1)).toBe(false);
  expect(levels.fill(0, 1, 11.5 * dayMs)).toBe(false);
  expect(levels.msUntilRoom(0, 1, 1) / dayMs).toBeCloseTo(11.574, 1);
  expect(levels.fill(0, 1, 11.7 * dayMs)).toBe(true);
  expect(levels.fill(0, 1, 11.7 * dayMs)).toBe(false);
  levels.empty(0);
  expect(levels.fill(0, burst, 12 * dayMs)).toBe(true);
});

it('keeps what it held, to a grain, when its scale changes', () => {
  fc.assert(
    fc.property(anyRate, anyRate, fc.integer({ min: 1, max: 1000 }), (before, after, held) => {
      const levels = new DrainingLevels({ ratePerSecond: before, burst: 1000, windowMs: 1 }, 1);
      levels.overfill(0, held, 5000);
      levels.configure({ ratePerSecond: after, burst: 1000, windowMs: 1 }, 5000);
      for (let room = 1000 - held; room > 0; room--) expect(levels.fill(0, 1, 5000)).toBe(true);
      expect(levels.fill(0, 1, 5000)).toBe(false);
    }),
  );
});

function* run(
  steps: Steps,
  of: { ratePerSecond: number; burst: number; startMs: number; clock: (ms: number) => number },
): Generator<{ cost: number; nowMs: number }> {
  let nowMs = of.startMs;
  for (const [share, costShare] of steps) {
    const cost = Math.max(1, Math.round(costShare * of.burst));
    nowMs = Math.max(1, nowMs + ((share * cost) / of.ratePerSecond) * 1000);
    yield { cost, nowMs: of.clock(nowMs) };
  }
}
