import { expect, it } from 'vitest';
import { describeBalancer } from './balancer.contract.ts';
import { RoundRobin } from './round-robin.ts';

describeBalancer('RoundRobin', () => new RoundRobin());

it('takes one after the other, over those that are not available', () => {
  const [a, b, c] = [true, false, true].map((available) => ({ load: 0, latencyMs: 0, available }));
  const balancer = new RoundRobin();
  expect([1, 2, 3].map(() => balancer.pick([a!, b!, c!]))).toEqual([a, c, a]);
});
