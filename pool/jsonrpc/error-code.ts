import {
  byteAt,
  COMMA,
  OPEN_BRACE,
  QUOTE,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
} from './skip-value.ts';
import { word, wordAt } from './word.ts';

const CODE = word('code');
const maxDepth = 64;
/** More digits than any code has. */
const maxDigits = 12;

/**
 * The `code` of the JSON-RPC error object that starts at `pos`; NaN when it is `null`, has none, or is anything else. For replies whose
 * scan said that they are errors: it reads no further than the code, which mostly comes first.
 */
export function errorCode(buf: Uint8Array, pos: number, end: number, stack: Uint8Array): number {
  if (byteAt(buf, pos, end) !== OPEN_BRACE) return NaN;
  pos = skipSpace(buf, pos + 1, end);
  while (byteAt(buf, pos, end) === QUOTE) {
    const close = skipString(buf, pos + 1, end);
    if (close < 0) return NaN;
    const isCode = close === pos + 5 && wordAt(buf, pos + 1) === CODE;
    const value = skipColon(buf, close + 1, end);
    if (value < 0) return NaN;
    const valueEnd = skipValue(buf, value, end, stack, maxDepth);
    if (valueEnd < 0) return NaN;
    if (isCode) return integerAt(buf, value, valueEnd);
    pos = skipSpace(buf, valueEnd, end);
    const next = byteAt(buf, pos, end);
    if (next !== COMMA) return NaN;
    pos = skipSpace(buf, pos + 1, end);
  }
  return NaN;
}

function integerAt(buf: Uint8Array, start: number, end: number): number {
  const negative = buf[start] === 0x2d;
  const first = negative ? start + 1 : start;
  if (end - first > maxDigits) return NaN;
  let value = 0;
  for (let pos = first; pos < end; pos++) {
    const digit = buf[pos]! - 0x30;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}
