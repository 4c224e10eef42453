import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseToken, rewriteTokens, type ProgressToken } from './progress-tokens.ts';

/** The text with the part between each pair of brackets taken for a token, and that between braces for the id. */
function marked(text: string): { bytes: Uint8Array; id: [number, number]; tokens: ProgressToken[] } {
  let plain = '';
  let id: [number, number] = [0, 0];
  const tokens: ProgressToken[] = [];
  for (const [, before = '', token, own] of text.matchAll(/([^<«]*)(?:<([^>]*)>|«([^»]*)»|$)/g)) {
    plain += before;
    const start = plain.length;
    plain += token ?? own ?? '';
    if (token !== undefined) tokens.push({ start, end: plain.length, token: Buffer.from(token) });
    if (own !== undefined) id = [start, plain.length];
  }
  return { bytes: Buffer.from(plain), id, tokens };
}

function rewrite(text: string, wireId: number, around = ''): string {
  const { bytes, id, tokens } = marked(text);
  const buf = Buffer.concat([Buffer.from(around), bytes, Buffer.from(around)]);
  const start = around.length;
  const own = rewriteTokens(buf, start, start + id[0], start + id[1], start + bytes.length, tokens, wireId);
  const out = Buffer.from(own.bytes).toString();
  return `${out.slice(0, own.cutStart)}${wireId}${out.slice(own.cutEnd)}`;
}

describe('rewriteTokens', () => {
  it.each([
    ['{"id":«"a"»,"params":{"token":<5>}}', '{"id":17,"params":{"token":"17.0"}}'],
    ['{"params":{"token":<"a long token">},"id":«1»}', '{"params":{"token":"17.0"},"id":17}'],
    ['{"a":<1>,"id":«22»,"b":<"">}', '{"a":"17.0","id":17,"b":"17.1"}'],
  ])('of %s', (text, expected) => {
    expect(rewrite(text, 17)).toBe(expected);
    expect(rewrite(text, 17, 'xyz')).toBe(expected);
  });
});

describe('parseToken', () => {
  it('reads what rewriteTokens wrote', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.nat(9), (wireId, index) => {
        const token = Buffer.from(`"${wireId}.${index}"`);
        expect(parseToken(token, 0, token.length)).toEqual({ wireId, index });
      }),
    );
  });

  it.each([
    '5',
    '"5"',
    '"5.',
    '"a.0"',
    '".0"',
    '"5."',
    '"05.0"',
    '"-5.0"',
    '5.0',
    '"5.0.0"',
    '""',
    `"${'1'.repeat(30)}.0"`,
  ])('takes %s for none of ours', (text) => {
    expect(parseToken(Buffer.from(text), 0, text.length)).toBeUndefined();
  });
});
