import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Balancer, Member } from './balancer.ts';

type CreateBalancer = (options: { random: () => number }) => Balancer;

class TestMember implements Member {
  #load: number;
  #latencyMs: number;
  #available: boolean;

  constructor({ load = 1, latencyMs = 1, available = true }: Partial<Member> = {}) {
    this.#load = load;
    this.#latencyMs = latencyMs;
    this.#available = available;
  }

  get load(): number {
    return this.#load;
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  get available(): boolean {
    return this.#available;
  }
}

/** What every balancer promises; each implementation's test calls this. */
export function describeBalancer(name: string, create: CreateBalancer): void {
  describe(`${name} keeps the contract of a balancer`, () => {
    it('returns undefined when there is no member, or none available', () => {
      const balancer = create({ random: seeded(1) });
      expect(balancer.pick<Member>([])).toBeUndefined();
      for (const size of [1, 16, 17, 1000]) {
        expect(balancer.pick(membersOf(size, { available: false }))).toBeUndefined();
      }
    });

    it('never returns an unavailable member, nor undefined while one is available, while the list changes', () => {
      const member = fc.record({ load: fc.nat(5), latencyMs: fc.nat(5), available: fc.boolean() });
      const lists = fc.array(fc.array(member, { maxLength: 40, size: 'max' }), {
        minLength: 1,
        maxLength: 20,
      });
      fc.assert(
        fc.property(lists, fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (steps, seed) => {
          const balancer = create({ random: () => seed });
          for (const members of steps.map((step) => step.map((options) => new TestMember(options)))) {
            const picked = balancer.pick(members);
            if (picked !== undefined) expect(members).toContain(picked);
            expect(picked?.available ?? false).toBe(members.some((x) => x.available));
          }
        }),
      );
    });

    it('finds the only available one among 1,000', () => {
      const balancer = create({ random: seeded(2) });
      const members = membersOf(1000, { available: false });
      for (const index of [0, 1, 499, 998, 999]) {
        const only = new TestMember({ load: 100 });
        expect(balancer.pick(members.with(index, only))).toBe(only);
      }
    });

    it.each([2, 3, 16, 17, 100])('spreads picks evenly over %i equal members', (size) => {
      const counts = countPicks(create({ random: seeded(3) }), membersOf(size), size * 1000);
      // Picks drawn at random stray by five standard deviations once in a million.
      const bound = 5 * Math.sqrt(1000);
      expect(counts.length).toBe(size);
      for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(bound);
    });

    it.each([16, 1000])('does not allocate when it picks among %i', (size) => {
      const balancer = create({ random: seeded(4) });
      const members = membersOf(size);
      const picks = 50_000;
      const growths = Array.from({ length: 8 }, () => heapGrowth(() => pickTimes(balancer, members, picks)));
      // Less than a byte a pick in the best round: the first ones compile, and the runner allocates beside.
      expect(Math.min(...growths)).toBeLessThan(picks);
    });
  });
}

function membersOf(size: number, options?: { available: boolean }): TestMember[] {
  return Array.from({ length: size }, () => new TestMember(options));
}

function countPicks(balancer: Balancer, members: readonly TestMember[], picks: number): number[] {
  const counts = new Map<TestMember, number>();
  for (let n = 0; n < picks; n++) {
    const picked = balancer.pick(members)!;
    counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return [...counts.values()];
}

function pickTimes(balancer: Balancer, members: readonly TestMember[], picks: number): void {
  for (let n = 0; n < picks; n++) balancer.pick(members);
}

function heapGrowth(action: () => void): number {
  const before = process.memoryUsage().heapUsed;
  action();
  const growth = process.memoryUsage().heapUsed - before;
  // A collection in between says nothing about what was allocated.
  return growth < 0 ? Infinity : growth;
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
