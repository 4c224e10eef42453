import fc from 'fast-check';
import { expect, it } from 'vitest';
import { backoffDelayMs } from './backoff.ts';

const backoffs = fc.record({
  baseDelayMs: fc.double({ min: 0, max: 1e6, noNaN: true }),
  maxDelayMs: fc.double({ min: 0, max: 1e9, noNaN: true }),
  factor: fc.double({ min: 1, max: 1000, noNaN: true }),
  jitter: fc.boolean(),
});
const attempts = fc.oneof(fc.nat(50), fc.nat(), fc.constant(Number.MAX_SAFE_INTEGER));
const draws = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

it('doubles from the base to the maximum', () => {
  const backoff = { baseDelayMs: 1000, maxDelayMs: 10_000, factor: 2, jitter: false };
  const delays = [0, 1, 2, 3, 4, 5000].map((attempt) => backoffDelayMs(backoff, attempt, () => 0.5));
  expect(delays).toEqual([1000, 2000, 4000, 8000, 10_000, 10_000]);
});

it('draws evenly between nothing and the full delay with jitter', () => {
  const backoff = { baseDelayMs: 1000, maxDelayMs: 10_000, factor: 2, jitter: true };
  const delays = [0, 0.25, 0.999].map((draw) => backoffDelayMs(backoff, 2, () => draw));
  expect(delays).toEqual([0, 1000, 3996]);
});

it('is a number from 0 to the maximum for any attempt', () => {
  fc.assert(
    fc.property(backoffs, attempts, draws, (backoff, attempt, draw) => {
      const delayMs = backoffDelayMs(backoff, attempt, () => draw);
      expect(delayMs).toBeGreaterThanOrEqual(0);
      expect(delayMs).toBeLessThanOrEqual(backoff.maxDelayMs);
    }),
  );
});

it('never falls from one attempt to the next without jitter', () => {
  fc.assert(
    fc.property(backoffs, attempts, (backoff, attempt) => {
      const delay = (n: number) => backoffDelayMs({ ...backoff, jitter: false }, n, () => 0);
      expect(delay(attempt + 1)).toBeGreaterThanOrEqual(delay(attempt));
    }),
  );
});
