import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WeightedTurns } from './weighted-turns.ts';

const all = 0b111;

describe('WeightedTurns', () => {
  it('gives each as many turns as it weighs, spread evenly', () => {
    const turns = new WeightedTurns([3, 2, 1]);
    expect(Array.from({ length: 12 }, () => turns.next(all))).toEqual([0, 1, 0, 2, 1, 0, 0, 1, 0, 2, 1, 0]);
  });

  it('shares the turns among those who want one', () => {
    const turns = new WeightedTurns([3, 2, 1]);
    expect(Array.from({ length: 8 }, () => turns.next(0b101))).toEqual([0, 0, 2, 0, 0, 0, 2, 0]);
    expect(turns.next(0b010)).toBe(1);
    expect(turns.next(0)).toBe(-1);
  });

  it('lets nobody wait longer than the weights say, however the others come and go', () => {
    const weights = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 3, maxLength: 3 });
    const others = fc.array(fc.integer({ min: 0, max: all }), { minLength: 500, maxLength: 500 });
    fc.assert(
      fc.property(weights, others, fc.integer({ min: 0, max: 2 }), (weighed, wanting, patient) => {
        const turns = new WeightedTurns(weighed);
        const total = weighed.reduce((sum, weight) => sum + weight, 0);
        let waited = 0;
        for (const mask of wanting) {
          waited = turns.next(mask | (1 << patient)) === patient ? 0 : waited + 1;
          expect(waited).toBeLessThanOrEqual(3 * Math.ceil(total / weighed[patient]!));
        }
      }),
    );
  });
});
