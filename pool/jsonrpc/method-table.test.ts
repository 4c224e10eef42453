import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { methodTable, plainMethod, type MethodTable, type MethodTraits } from './method-table.ts';

/** Looks a method up as it stands inside a message, from its JSON spelling. */
function find(table: MethodTable, spelling: string): MethodTraits {
  const message = Buffer.from(`{"method":"${spelling}"}`);
  return table.find(message, 11, message.length - 2);
}

describe('the method table', () => {
  const table = methodTable({
    stateful: ['login', 'both'],
    idempotent: ['get', 'both', 'größe', '__proto__'],
  });

  it('knows what each list says of a method', () => {
    expect(find(table, 'login')).toMatchObject({ stateful: true, idempotent: false });
    expect(find(table, 'both')).toMatchObject({ stateful: true, idempotent: true });
    expect(find(table, '__proto__')).toMatchObject({ stateful: false, idempotent: true });
    expect(find(table, 'größe').idempotent).toBe(true);
  });

  it.each(['', 'log', 'loginx', 'LOGIN', 'constructor', 'toString'])('says nothing of %j', (name) => {
    expect(find(table, name)).toBe(plainMethod);
  });

  it.each(['\\u006cogin', 'logi\\u006E', 'l\\u006fgin'])('takes %s for what it spells', (spelling) => {
    expect(find(table, spelling)).toBe(find(table, 'login'));
  });

  it('says nothing where there is no method, or no table', () => {
    expect(table.find(Buffer.from('login'), -1, -1)).toBe(plainMethod);
    expect(find(methodTable({ stateful: [], idempotent: [] }), 'login')).toBe(plainMethod);
  });

  it('finds exactly the methods of its lists, whatever their names', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ unit: 'grapheme' })), fc.string(), (names, other) => {
        const filled = methodTable({ stateful: names, idempotent: [] });
        const spell = (name: string): string => JSON.stringify(name).slice(1, -1);
        for (const name of names) expect(find(filled, spell(name)).stateful).toBe(true);
        expect(find(filled, spell(other)).stateful).toBe(names.includes(other));
      }),
    );
  });
});
