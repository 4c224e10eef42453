import { isUtf8 } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isValidUtf8 } from './utf8.ts';

/** Compares with the native check, between bytes that would change the verdict. */
function agrees(bytes: Uint8Array): void {
  const around = Buffer.concat([Buffer.from([0xff]), bytes, Buffer.from([0x80])]);
  expect(isValidUtf8(around, 1, 1 + bytes.length), Buffer.from(bytes).toString('hex')).toBe(isUtf8(bytes));
}

it('sees one bad byte wherever it is, in text of any length', () => {
  for (let length = 0; length < 130; length++) {
    agrees(Buffer.alloc(length, 'a'));
    for (let at = 0; at < length; at++) {
      const bytes = Buffer.alloc(length, 'a');
      bytes[at] = 0xff;
      expect(isValidUtf8(bytes, 0, length), `byte ${at} of ${length}`).toBe(false);
    }
  }
});

it('agrees with the native check on text with one byte changed', () => {
  const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 40 });
  fc.assert(
    fc.property(text, fc.nat(), fc.integer({ min: 0, max: 255 }), (string, at, byte) => {
      const bytes = Buffer.from(string);
      agrees(bytes);
      bytes[at % bytes.length] = byte;
      agrees(bytes);
    }),
    { numRuns: 1_000 },
  );
});
