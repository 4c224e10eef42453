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

it.each([
  ...[1 / 7, 0.1, 1 / 3, 3, 999.9999, 1000 / 3, 12_345.678, 1e6 + 0.5, 1e9].flatMap((rate) => [
    [rate, 1, 1] as const,
    [rate, 1, 1e10] as const,
    [rate, 1000, 1e10] as const,
  ]),
])(
  'at %d per second, taken %d by %d late in its uptime, lets 99.99 %% of the rate pass',
  (rate, cost, startMs) => {
    const levels = new DrainingLevels({ ratePerSecond: rate, burst: cost * 20, windowMs: 1 }, 1);
    levels.overfill(0, cost * 20, startMs);
    const takes = 30_000;
    let taken = 0;
    let nowMs = startMs;
    // Asked thrice as often as something fits; a double cannot tell more moments apart after 115 days.
    const gapMs = Math.max(((cost / rate) * 1000) / 3.1, 1e-5);
    for (let i = 0; i < takes; i++) {
      nowMs += gapMs;
      while (levels.fill(0, cost, nowMs)) taken += cost;
    }
    const allowed = ((nowMs - startMs) * rate) / 1000;
    expect(taken).toBeLessThanOrEqual(allowed);
    expect(taken).toBeGreaterThan(allowed * 0.9999 - 2 * cost);
  },
);

it('keeps what it held, to a grain, when its scale changes', () => {
  fc.assert(
    fc.property(anyRate, anyRate, fc.integer({ min: 1, max: 1000 }), (before, after, held) => {
      const levels = new DrainingLevels({ ratePerSecond: before, burst: 1000, windowMs: 1 }, 1);
      levels.overfill(0, held, 5000);
      levels.configure({ ratePerSecond: after, burst: 1000, windowMs: 1 });
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
