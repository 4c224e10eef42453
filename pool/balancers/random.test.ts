import { expect, it } from 'vitest';
import { describeBalancer } from './balancer.contract.ts';
import { Random } from './random.ts';

describeBalancer('Random', (options) => new Random(options));

it('shares the picks of unavailable members among all others', () => {
  const members = Array.from({ length: 40 }, (_, index) => ({
    load: 0,
    latencyMs: 0,
    available: index >= 38,
  }));
  const balancer = new Random({ random: () => 0.5 });
  const picks = Array.from({ length: 2000 }, () => balancer.pick(members));
  const first = picks.filter((member) => member === members[38]).length;
  expect(Math.abs(first - 1000)).toBeLessThan(5 * Math.sqrt(500));
});
