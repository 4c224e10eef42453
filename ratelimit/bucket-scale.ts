import type { LimiterSettings } from './limiter.ts';

const finestTicksPerMs = 2 ** 20;
const largestDenominator = 3600;
/** What is no simple fraction is rounded down to one with a numerator of at least this: by 0.006 % at most. */
const leastNumerator = 2 ** 14;
/** What can be owed beside a full bucket: the traffic of this long. */
const debtSeconds = 8;

/**
 * In what a bucket counts: time in ticks, what it holds in grains, such that a whole number of grains drains in a tick and all
 * sums stay whole numbers below 2^53. So nothing is ever rounded in them, after any uptime.
 */
export interface BucketScale {
  /** A power of two. */
  readonly ticksPerMs: number;
  readonly grainsPerUnit: number;
  readonly grainsPerTick: number;
  readonly burstGrains: number;
}

/** The finest scale for these settings. Rates like 250, 0.1, 1/60 and 0.000001 are kept as they are, others to 0.006 %, never above. */
export function bucketScale({ ratePerSecond, burst }: LimiterSettings): BucketScale {
  const { numerator, denominator } = fractionOf(ratePerSecond);
  const coarsest = 1000 * denominator;
  const spare = 2 ** 53 / (coarsest * (burst + debtSeconds * ratePerSecond));
  const ticksPerMs = Math.min(finestTicksPerMs, 2 ** Math.floor(Math.log2(spare)));
  const grainsPerUnit = coarsest * ticksPerMs;
  return {
    ...{ ticksPerMs, grainsPerUnit, grainsPerTick: numerator },
    burstGrains: Math.floor(burst * grainsPerUnit),
  };
}

function fractionOf(rate: number): { numerator: number; denominator: number } {
  if (rate >= leastNumerator) return { numerator: Math.floor(rate), denominator: 1 };
  for (let denominator = 1; denominator <= largestDenominator; denominator++) {
    const numerator = Math.round(rate * denominator);
    if (numerator / denominator === rate) return { numerator, denominator };
  }
  const perUnit = Math.round(1 / rate);
  if (1 / perUnit === rate) return { numerator: 1, denominator: perUnit };
  const denominator = 2 ** Math.ceil(Math.log2(leastNumerator / rate));
  return { numerator: Math.floor(rate * denominator), denominator };
}
