import { expect, it } from 'vitest';
import { balancerNames, createBalancer } from './create-balancer.ts';

it.each(balancerNames)('creates %s, each with a state of its own', (name) => {
  const members = Array.from({ length: 4 }, () => ({ load: 1, latencyMs: 1, available: true }));
  const [one, two] = [0, 1].map(() => createBalancer(name, { random: () => 0.3 }));
  const picksOfOne = Array.from({ length: 9 }, () => one!.pick(members));
  const picksOfTwo = Array.from({ length: 9 }, () => two!.pick(members));
  expect(picksOfTwo).toEqual(picksOfOne);
  expect(picksOfOne).not.toContain(undefined);
});
