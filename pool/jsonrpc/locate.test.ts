import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Finding, Locator, parsePath } from './locate.ts';
import { value } from './scan.fixture.ts';

/** The value found, 'absent' or 'doubtful'; looks in the midst of a larger buffer, so that a read past either end shows. */
function look(path: string, text: string): string {
  const around = Buffer.from('"}]"'.repeat(4));
  const bytes = Buffer.from(text);
  const buf = Buffer.concat([around, bytes, around]);
  const locator = new Locator(parsePath(path));
  const finding = locator.find(buf, around.length, around.length + bytes.length);
  if (finding === Finding.found) return buf.toString('utf8', locator.start, locator.end);
  return finding === Finding.absent ? 'absent' : 'doubtful';
}

describe('Locator', () => {
  it.each([
    ['subscription', '{"subscription":"0x1","result":{}}', '"0x1"'],
    ['subscription', ' { "result" : {"subscription":2} , "subscription" : 1 } ', '1'],
    ['_meta.progressToken', '{"a":[1,{"_meta":5}],"_meta":{"x":1,"progressToken":"t"}}', '"t"'],
    ['0', '["0x1"]', '"0x1"'],
    ['1.id', '[{"id":1},{"id":2}]', '2'],
    ['', ' {"a":1} ', '{"a":1}'],
  ])('finds %s in %s', (path, text, found) => {
    expect(look(path, text)).toBe(found);
  });

  it.each([
    ['subscription', '{}'],
    ['subscription', '["subscription"]'],
    ['subscription', '"subscription"'],
    ['subscription', '{"x":{"subscription":1}}'],
    ['_meta.progressToken', '{"_meta":5,"progressToken":1}'],
    ['0', '[]'],
    ['1', '[1]'],
    ['0', '{"0":1}'],
    ['id', '{"__proto__":{"id":1}}'],
    ['id', '{"i":1,"idd":2,"\\u0069":3}'],
  ])('does not find %s in %s', (path, text) => {
    expect(look(path, text)).toBe('absent');
  });

  it.each([
    ['subscription', '{"subscription":1,"subscription":2}'],
    ['subscription', '{"subscription":1,"\\u0073ubscription":2}'],
    ['subscription', '{"\\u0073ubscription":2}'],
    ['subscription', '{"Subscription":2}'],
    ['subscription', '{"ſubscription":2}'],
    ['progressToken', '{"progressTo\u212Aen":2}'],
    ['_meta.progressToken', '{"_meta":{},"_meta":{"progressToken":1}}'],
    ['id', '{"id":1,}'],
    ['id', '{"id":1'],
    ['id', '{"id":01}'],
    ['1', '[1;2]'],
  ])('is in doubt about %s in %s', (path, text) => {
    expect(look(path, text)).toBe('doubtful');
  });

  it('agrees with JSON.parse on what objects without look-alikes hold', () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'aa', '__proto__', 'constructor');
    const object = fc.dictionary(keys, value, { noNullPrototype: false });
    fc.assert(
      fc.property(fc.dictionary(keys, object), keys, keys, (outer, first, second) => {
        const inner = Object.hasOwn(outer, first) ? outer[first]! : {};
        const expected = Object.hasOwn(inner, second) ? JSON.stringify(inner[second]) : 'absent';
        expect(look(`${first}.${second}`, JSON.stringify(outer))).toBe(expected);
      }),
    );
  });

  it('never throws and never reads past the end, whatever the bytes', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      '"id"',
      ':',
      ',',
      '1',
      '"',
      '\\',
      '\\u0069',
      '\\u00',
      'é',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 30 }), (parts) => {
        look('id', parts.join(''));
        look('id.0.id', parts.join(''));
      }),
    );
  });
});
