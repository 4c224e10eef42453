import { expect, it } from 'vitest';
import { describeLimiter } from './limiter.contract.ts';
import { createLimiter, strategyNames } from './strategies.ts';

for (const name of strategyNames) {
  describeLimiter(name, (settings, slots) => createLimiter(name, settings, slots));
}

it('has delays with both buckets, and not with a window', () => {
  const settings = { ratePerSecond: 1, burst: 1, windowMs: 1000 };
  const delaying = strategyNames.filter((name) => 'takeDelayed' in createLimiter(name, settings, 1));
  expect(delaying).toEqual(['token-bucket', 'leaky-bucket']);
});
