import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WaitRing, type Waiter } from './queue.ts';

class Guest implements Waiter {
  ring: WaitRing<Waiter> | undefined;
  ringNext: Waiter | undefined;
  ringPrevious: Waiter | undefined;
  readonly name: number;

  constructor(name: number) {
    this.name = name;
  }
}

describe('WaitRing', () => {
  it('is empty at first', () => {
    const ring = new WaitRing<Guest>();
    expect(ring.first).toBeUndefined();
    expect(ring.list()).toEqual([]);
  });

  it('puts one that waits already at the end', () => {
    const ring = new WaitRing<Guest>();
    const [a, b] = [new Guest(1), new Guest(2)];
    for (const guest of [a, b, a]) ring.add(guest);
    expect(ring.list()).toEqual([b, a]);
  });

  it('takes one out of the ring that it is in when another gets it', () => {
    const [here, there] = [new WaitRing<Guest>(), new WaitRing<Guest>()];
    const guest = new Guest(1);
    here.add(guest);
    there.add(guest);
    expect(here.list()).toEqual([]);
    expect(there.first).toBe(guest);
    here.remove(guest);
    expect(there.first).toBe(guest);
  });

  it('behaves like a plain list in any sequence of additions and removals', () => {
    const step = fc.record({ guest: fc.nat(4), ring: fc.nat(1), adds: fc.boolean() });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const rings = [new WaitRing<Guest>(), new WaitRing<Guest>()] as const;
        const guests = Array.from({ length: 5 }, (_, name) => new Guest(name));
        const lists: Guest[][] = [[], []];
        for (const { guest: name, ring, adds } of steps) {
          const guest = guests[name]!;
          if (adds) {
            rings[ring as 0 | 1].add(guest);
            for (const [index, list] of lists.entries()) lists[index] = list.filter((one) => one !== guest);
            lists[ring]!.push(guest);
          } else {
            rings[ring as 0 | 1].remove(guest);
            lists[ring] = lists[ring]!.filter((one) => one !== guest);
          }
          expect(rings.map((one) => one.list().map((g) => g.name))).toEqual(
            lists.map((list) => list.map((g) => g.name)),
          );
          expect(rings.map((one) => one.first)).toEqual(lists.map((list) => list[0]));
        }
      }),
    );
  });
});
