import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { topKeys } from './top-keys.ts';

/** Slots of which each has its number for a key; of what was refused to each, undefined stands for a free slot. */
function slotsOf(refused: readonly (number | undefined)[]) {
  return {
    forEachSlot(visit: (slot: number, key: string) => void): void {
      for (const [slot, count] of refused.entries()) if (count !== undefined) visit(slot, `key ${slot}`);
    },
  };
}

describe('topKeys', () => {
  it('returns the keys refused most, most first', () => {
    const refused = [5, undefined, 9, 1, 7];
    expect(topKeys(slotsOf(refused), (slot) => refused[slot]!, 2)).toEqual([
      { slot: 2, key: 'key 2', refused: 9 },
      { slot: 4, key: 'key 4', refused: 7 },
    ]);
  });

  it('leaves out keys that were refused nothing', () => {
    const refused = [0, 3, 0];
    expect(topKeys(slotsOf(refused), (slot) => refused[slot]!, 3).map(({ slot }) => slot)).toEqual([1]);
  });

  it('returns none when none are asked for', () => {
    expect(topKeys(slotsOf([1, 2]), () => 1, 0)).toEqual([]);
  });

  it('agrees with sorting everything', () => {
    const counts = fc.array(fc.option(fc.nat(9), { nil: undefined }), { maxLength: 60 });
    fc.assert(
      fc.property(counts, fc.nat(8), (refused, count) => {
        const sorted = [...refused.entries()]
          .flatMap(([slot, times]) => (times ? [{ slot, key: `key ${slot}`, refused: times }] : []))
          .sort((a, b) => b.refused - a.refused || a.slot - b.slot);
        expect(topKeys(slotsOf(refused), (slot) => refused[slot] ?? 0, count)).toEqual(
          sorted.slice(0, count),
        );
      }),
    );
  });
});
