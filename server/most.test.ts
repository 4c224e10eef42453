import fc from 'fast-check';
import { expect, it } from 'vitest';
import { most } from './most.ts';

it('finds what sorting all of it would put first', () => {
  const ranks = fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 100 });
  fc.assert(
    fc.property(ranks, fc.nat(30), (given, count) => {
      const items = given.map((rank, index) => ({ rank, index }));
      const sorted = items.toSorted((a, b) => b.rank - a.rank).slice(0, count);
      expect(most(items, ({ rank }) => rank, count)).toEqual(sorted);
    }),
  );
});
