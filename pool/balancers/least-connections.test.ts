import { describe, expect, it } from 'vitest';
import { describeBalancer } from './balancer.contract.ts';
import { LeastConnections } from './least-connections.ts';

describeBalancer('LeastConnections', (options) => new LeastConnections(options));

const membersWithLoads = (loads: readonly number[]) =>
  loads.map((load) => ({ load, latencyMs: 0, available: true }));

describe('LeastConnections', () => {
  it('picks the least loaded of up to 12 members wherever it stands', () => {
    const balancer = new LeastConnections({ random: () => 0.5 });
    for (let least = 0; least < 12; least++) {
      const members = membersWithLoads(Array.from({ length: 12 }, (_, index) => (index === least ? 1 : 2)));
      expect(balancer.pick(members)).toBe(members[least]);
    }
  });

  it('lets the least loaded take turns, though others stand between them', () => {
    const members = membersWithLoads([3, 9, 3, 9, 9]);
    const balancer = new LeastConnections({ random: () => 0.5 });
    const picks = Array.from({ length: 4 }, () => members.indexOf(balancer.pick(members)!));
    expect(picks).toEqual([0, 2, 0, 2]);
  });

  it('keeps 1,000 members within a few of one another as their loads grow', () => {
    const members = membersWithLoads(Array.from({ length: 1000 }, () => 0));
    const balancer = new LeastConnections({ random: () => 0.5 });
    for (let n = 0; n < 100_000; n++) balancer.pick(members)!.load++;
    const loads = members.map((member) => member.load);
    expect(Math.max(...loads)).toBeLessThan(105);
    expect(Math.min(...loads)).toBeGreaterThan(90);
  });
});
