import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { canonicalId, hashId, isEscaped, parseWireId, sameId } from './ids.ts';

const canonical = (token: string): Buffer => {
  const bytes = Buffer.from(token);
  return isEscaped(bytes, 0, bytes.length) ? Buffer.from(canonicalId(bytes, 0, bytes.length)) : bytes;
};
const areSame = (a: Buffer, b: Buffer): boolean => sameId(a, 0, a.length, b, 0, b.length);
const hash = (bytes: Buffer, seed?: number): number => hashId(bytes, 0, bytes.length, seed);

describe('parseWireId', () => {
  const parse = (token: string): number => parseWireId(Buffer.from(`9${token}9`), 1, 1 + token.length);

  test.each([
    ['0', 0],
    ['17', 17],
    ['9007199254740991', Number.MAX_SAFE_INTEGER],
  ])('reads %s', (token, id) => {
    expect(parse(token)).toBe(id);
  });

  test.each([
    '',
    '"17"',
    '-1',
    '-0',
    '1.0',
    '1e3',
    '007',
    ' 1',
    '9007199254740992',
    '9'.repeat(16),
    '9'.repeat(400),
    'null',
    '/',
    ':',
  ])('refuses %s', (token) => {
    expect(parse(token)).toBe(-1);
  });
});

describe('the canonical id', () => {
  test.each([
    ['"a"', '"\\u0061"'],
    ['"a/b"', '"a\\/b"'],
    ['"\\n"', '"\\u000a"'],
    ['"\\u001F"', '"\\u001f"'],
    ['"é"', '"\\u00e9"'],
    ['"😀"', '"\\ud83d\\uDE00"'],
    ['"\\ud800"', '"\\uD800"'],
  ])('is the same for %s and %s', (a, b) => {
    expect(areSame(canonical(a), canonical(b))).toBe(true);
  });

  test.each([
    ['1', '"1"'],
    ['"\\u0031"', '1'],
    ['"a"', '"A"'],
    ['"\\ud800"', '"\\ud801"'],
    ['"\\ud800"', '"\ufffd"'],
    ['"\\\\u0061"', '"a"'],
    ['1', '-1'],
    ['""', '" "'],
  ])('differs for %s and %s', (a, b) => {
    expect(areSame(canonical(a), canonical(b))).toBe(false);
  });

  it('is equal, with its hash, exactly when the parsed ids are, however they are escaped; and never longer than the token', () => {
    const text = fc.array(
      fc.constantFrom('a', '/', '"', '\\', '\n', 'é', '\u2028', '\ud83d', '\ude00', '\x7f', '1'),
      { maxLength: 4 },
    );
    const token = fc
      .tuple(text, fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
      .map(([parts, escapes]) => {
        const write = (part: string, i: number): string => {
          const escape = escapes[i]! || /[\ud800-\udfff]/.test(part);
          return escape
            ? `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`
            : JSON.stringify(part).slice(1, -1);
        };
        return `"${parts.map(write).join('')}"`;
      });
    fc.assert(
      fc.property(token, token, (a, b) => {
        const same = JSON.parse(a) === JSON.parse(b);
        expect(areSame(canonical(a), canonical(b))).toBe(same);
        if (same) expect(hash(canonical(a))).toBe(hash(canonical(b)));
        expect(canonical(a).length).toBeLessThanOrEqual(Buffer.byteLength(a));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('hashId', () => {
  it('is a 31-bit integer that depends on every byte and on the seed', () => {
    const ids = ['1', '2', '12', '21', '"1"', '"12"', '""'].map((token) => Buffer.from(token));
    const hashes = [...ids.map((id) => hash(id)), ...ids.map((id) => hash(id, 7))];
    expect(new Set(hashes).size).toBe(hashes.length);
    for (const one of hashes) expect(one).toBe(one & 0x7fffffff);
  });

  it('spreads consecutive ids over the buckets of a small table', () => {
    const spellings = [
      (id: number) => String(id),
      (id: number) => `"${id}"`,
      (id: number) => `"req-${id}-x"`,
      (id: number) => `"${id.toString(16).padStart(8, '0')}-7f53"`,
    ];
    for (const spell of spellings) {
      const buckets = new Uint16Array(256);
      for (let id = 0; id < 2560; id++) buckets[hash(Buffer.from(spell(id))) & 255]!++;
      expect(Math.max(...buckets)).toBeLessThan(30);
    }
  });

  it('looks only at the range it is given', () => {
    const bytes = Buffer.from('xx"id"yy');
    expect(hashId(bytes, 2, 6)).toBe(hash(Buffer.from('"id"')));
    expect(sameId(bytes, 2, 6, Buffer.from('"id"'), 0, 4)).toBe(true);
  });
});
