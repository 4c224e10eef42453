import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isValidUtf8 } from './utf8.ts';

function agrees(bytes: Uint8Array): void {
  const inside = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0x80])]);
  expect(isValidUtf8(inside, 1, 1 + bytes.length), Buffer.from(bytes).toString('hex')).toBe(isUtf8(bytes));
}

it('agrees with the native check on every sequence of up to two bytes', () => {
  agrees(Buffer.alloc(0));
  for (let first = 0; first < 256; first++) {
    agrees(Buffer.from([first]));
    for (let second = 0; second < 256; second++) {
      const bytes = Buffer.from([first, second]);
      if (isValidUtf8(bytes, 0, 2) !== isUtf8(bytes)) agrees(bytes);
    }
  }
});

it('agrees with the native check on bytes at the edges of the ranges', () => {
  const edge = fc.constantFrom(
    ...[
      0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef,
      0xf0,
    ],
    ...[0xf1, 0xf3, 0xf4, 0xf5, 0xff],
  );
  fc.assert(
    fc.property(fc.array(edge, { maxLength: 8 }), (bytes) => agrees(Buffer.from(bytes))),
    { numRuns: 5_000 },
  );
});

it('agrees with the native check on text with one byte changed, short and long', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(text, fc.nat(), fc.integer({ min: 0, max: 255 }), (string, at, byte) => {
      const bytes = Buffer.from(string);
      agrees(bytes);
      bytes[at % bytes.length] = byte;
      agrees(bytes);
    }),
    { numRuns: 2_000 },
  );
});
