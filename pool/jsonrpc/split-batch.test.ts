import fc from 'fast-check';
import { expect, it, test } from 'vitest';
import { parsed, value } from './scan.fixture.ts';
import { splitBatch } from './split-batch.ts';

function split(text: string, maxElements = 10): string[] | string {
  const around = Buffer.from('[1],');
  const buf = Buffer.concat([around, Buffer.from(text), around]);
  const elements: string[] = [];
  const fault = splitBatch(buf, around.length, buf.length - around.length, maxElements, (start, end) => {
    elements.push(buf.toString('utf8', start, end));
  });
  if (fault !== undefined) expect(elements).toEqual([]);
  return fault ?? elements;
}

test.each([
  ['[1]', ['1']],
  [' [ {"a":[1,2]} ,\n"]" , null ]\t', ['{"a":[1,2]}', '"]"', 'null']],
  ['[[],{}]', ['[]', '{}']],
])('splits %s', (text, elements) => {
  expect(split(text)).toEqual(elements);
});

test.each([
  ['[]', 'empty'],
  [' [ ] ', 'empty'],
  ['', 'not-json'],
  ['{}', 'not-json'],
  ['[', 'not-json'],
  ['[1', 'not-json'],
  ['[1,]', 'not-json'],
  ['[1 2]', 'not-json'],
  ['[1}', 'not-json'],
  ['[1],', 'not-json'],
  ['[] x', 'not-json'],
  ['[{"a":1},{"a"}]', 'not-json'],
])('visits nothing of %s: %s', (text, fault) => {
  expect(split(text)).toBe(fault);
});

it('takes as many elements as allowed, and no more', () => {
  expect(split('[1,2,3]', 3)).toHaveLength(3);
  expect(split('[1,2,3,4]', 3)).toBe('too-many');
});

it('allows each element the depth that a message of its own has', () => {
  const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  expect(split(`[0,${nested(64)}]`)).toHaveLength(2);
  expect(split(`[0,${nested(65)}]`)).toBe('too-deep');
  expect(split('['.repeat(1_000_000))).toBe('too-deep');
});

it('agrees with JSON.parse on the elements and on what is JSON after random edits', () => {
  const property = fc.property(
    fc.array(value),
    fc.nat(),
    fc.string({ unit: 'grapheme-ascii', maxLength: 2 }),
    (items, at, edit) => {
      const whole = JSON.stringify(items, undefined, at % 3);
      const cut = at % whole.length;
      const edited = `[${whole.slice(1, cut)}${edit}${whole.slice(Math.max(1, cut))}`;
      const text = Buffer.from(edited).toString(); // the cut may have gone through a surrogate pair
      const expected = parsed(text);
      const found = split(text, 1000);
      if (expected === undefined) expect(found).toBe('not-json');
      else if (typeof found === 'string') expect([found, expected]).toEqual(['empty', []]);
      else expect(found.map(parsed)).toEqual(expected);
    },
  );
  fc.assert(property, { numRuns: 2000 });
});
