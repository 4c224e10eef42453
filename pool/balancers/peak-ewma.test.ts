import { describe, expect, it } from 'vitest';
import { Latency } from '../health/latency.ts';
import { describeBalancer } from './balancer.contract.ts';
import { PeakEwma } from './peak-ewma.ts';

describeBalancer('PeakEwma', (options) => new PeakEwma(options));

const member = (latencyMs: number, load = 0) => ({ latencyMs, load, available: true });

describe('PeakEwma', () => {
  it('never picks the slowest while the others can take it', () => {
    const slow = member(1_000);
    const members = [...Array.from({ length: 10 }, () => member(5, 3)), slow];
    const balancer = new PeakEwma({ random: () => 0.5 });
    for (let n = 0; n < 10_000; n++) expect(balancer.pick(members)).not.toBe(slow);
  });

  it('does not pick the slowest for being the only available one of the two it looked at', () => {
    const slow = member(1_000);
    const busy = Array.from({ length: 9 }, () => ({ ...member(5), available: false }));
    const members = [slow, ...busy, member(5)];
    const balancer = new PeakEwma({ random: () => 0.5 });
    for (let n = 0; n < 1_000; n++) expect(balancer.pick(members)).toBe(members.at(-1));
  });

  it('weighs latency by what is in flight', () => {
    const [quick, busy] = [member(10, 1), member(8, 2)];
    const balancer = new PeakEwma({ random: () => 0.5 });
    for (let n = 0; n < 100; n++) expect(balancer.pick([busy, quick])).toBe(quick);
  });

  it('asks one that has never answered once, and then waits for its answer', () => {
    const latency = new Latency();
    const unknown = {
      load: 0,
      available: true,
      get latencyMs() {
        return latency.ms;
      },
    };
    const known = member(50, 4);
    const balancer = new PeakEwma({ random: () => 0.5 });
    expect(balancer.pick([known, unknown])).toBe(unknown);
    latency.asked();
    unknown.load = 1;
    expect(balancer.pick([known, unknown])).toBe(known);
  });

  it('shares a burst among those of which nothing is known', () => {
    const members = Array.from({ length: 11 }, () => member(0));
    const balancer = new PeakEwma({ random: () => 0.5 });
    for (let n = 0; n < 110; n++) balancer.pick(members)!.load++;
    for (const { load } of members) expect(Math.abs(load - 10)).toBeLessThan(5);
  });
});
