import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HashTable } from './hash-table.ts';

describe('HashTable', () => {
  it('finds nothing at first', () => {
    expect(new HashTable(1).find(0, 0)).toBe(-1);
  });

  it('takes a hash of zeros for a hash', () => {
    const table = new HashTable(1);
    table.add(0, 0, 0);
    expect(table.find(0, 0)).toBe(0);
    table.remove(0);
    expect(table.find(0, 0)).toBe(-1);
  });

  it('tells hashes apart that differ in one half only', () => {
    const table = new HashTable(4);
    table.add(0, 7, 1);
    table.add(1, 7, 2);
    table.add(2, 8, 1);
    expect([table.find(7, 1), table.find(7, 2), table.find(8, 1), table.find(8, 2)]).toEqual([0, 1, 2, -1]);
  });

  it('throws when what is removed is not in the table', () => {
    const table = new HashTable(4);
    table.add(0, 3, 0);
    table.add(1, 3, 1);
    table.remove(1);
    expect(() => table.remove(1)).toThrow('bug: ');
    expect(table.find(3, 0)).toBe(0);
  });

  it('behaves like a Map in any sequence of additions and removals, however the hashes crowd', () => {
    const maxEntries = 11;
    // 32 places: homes around the end of the table and a few elsewhere, so that runs grow together and wrap around.
    const low = fc.oneof(fc.integer({ min: 28, max: 35 }), fc.integer({ min: -3, max: 3 }), fc.integer());
    const hash = fc.tuple(low, fc.integer({ min: -1, max: 1 }));
    const hashes = fc.uniqueArray(hash, { selector: String, minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(hashes, fc.array(fc.nat(), { maxLength: 120, size: 'max' }), (known, picks) => {
        const table = new HashTable(maxEntries);
        const model = new Map<number, number>();
        const free = Array.from({ length: maxEntries }, (_, entry) => entry);
        for (const pick of picks) {
          const index = pick % known.length;
          const entry = model.get(index);
          if (entry !== undefined) {
            table.remove(entry);
            model.delete(index);
            free.push(entry);
          } else if (free.length > 0) {
            const added = free.pop()!;
            table.add(added, ...known[index]!);
            model.set(index, added);
            expect(table.highOf(added)).toBe(known[index]![1]);
          }
          expect(known.map((one) => table.find(...one))).toEqual(known.map((_, i) => model.get(i) ?? -1));
        }
      }),
    );
  });
});
