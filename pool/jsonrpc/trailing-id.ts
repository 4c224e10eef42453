import { parseWireId } from './ids.ts';
import { byteAt, CLOSE_BRACE, COMMA, QUOTE } from './skip-value.ts';

const COLON = 0x3a;
const LOWER_I = 0x69;
const LOWER_D = 0x64;
const ZERO = 0x30;
const NINE = 0x39;

/**
 * Looks from the end for `,"id":<digits>}` that begins after `from`, so that a reply with a long result first costs no more than
 * a short one; sets the id's offsets and returns true, or returns false when the message ends in another way.
 * In valid JSON those bytes cannot be anything else: a quote inside a string has a backslash before it, not a comma or a space.
 */
export function findTrailingId(
  buf: Uint8Array,
  from: number,
  end: number,
  into: { idStart: number; idEnd: number },
): boolean {
  const brace = lastByte(buf, from, end);
  if (byteAt(buf, brace, end) !== CLOSE_BRACE) return false;
  const lastDigit = lastByte(buf, from, brace);
  let digit = lastDigit;
  while (digit > from && buf[digit]! >= ZERO && buf[digit]! <= NINE) digit--;
  if (parseWireId(buf, digit + 1, lastDigit + 1) < 0) return false;
  const colon = lastByte(buf, from, digit + 1);
  const quote = lastByte(buf, from, colon);
  if (quote - 4 <= from || buf[colon] !== COLON || buf[quote] !== QUOTE) return false;
  if (buf[quote - 1] !== LOWER_D || buf[quote - 2] !== LOWER_I || buf[quote - 3] !== QUOTE) return false;
  if (buf[lastByte(buf, from, quote - 3)] !== COMMA) return false;
  into.idStart = digit + 1;
  into.idEnd = lastDigit + 1;
  return true;
}

/** The last position before `end` that is not JSON whitespace, or `from`. */
function lastByte(buf: Uint8Array, from: number, end: number): number {
  let pos = end - 1;
  while (pos > from && isSpace(buf[pos]!)) pos--;
  return pos < from ? from : pos;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
