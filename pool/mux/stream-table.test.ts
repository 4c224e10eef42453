import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StreamTable, type TableEntry } from './stream-table.ts';

describe('StreamTable', () => {
  it('gives ids that grow, and finds each stream by its own and by no other', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 400 }), (steps) => {
        const table = new StreamTable<TableEntry>();
        const model = new Map<number, TableEntry>();
        const ended: number[] = [];
        for (const step of steps) {
          const victim = [...model.values()][step * 7];
          if (step > 5 && victim !== undefined) {
            table.remove(victim);
            model.delete(victim.id);
            ended.push(victim.id);
          } else {
            const before = table.lastId;
            const stream = { id: 0 };
            table.add(stream);
            expect(stream.id).toBeGreaterThan(before);
            expect(table.lastId).toBe(stream.id);
            model.set(stream.id, stream);
          }
          expect(table.size).toBe(model.size);
        }
        for (const [id, stream] of model) expect(table.find(id)).toBe(stream);
        for (const id of [0, ...ended, table.lastId + 1, table.lastId + 64])
          expect(table.find(id)).toBeUndefined();
        expect(new Set(table.list())).toEqual(new Set(model.values()));
      }),
    );
  });

  it('uses up no more than a few ids for each stream while most of them stay', () => {
    const table = new StreamTable<TableEntry>();
    for (let n = 0; n < 4_096; n++) table.add({ id: 0 });
    const before = table.lastId;
    for (let n = 0; n < 10_000; n++) {
      const stream = { id: 0 };
      table.add(stream);
      table.remove(stream);
    }
    expect(table.lastId - before).toBeLessThan(40_000);
  });

  it('throws when a stream is removed that is not there', () => {
    const table = new StreamTable<TableEntry>();
    const stream = { id: 0 };
    table.add(stream);
    table.remove(stream);
    expect(() => table.remove(stream)).toThrow(/^bug/);
  });
});
