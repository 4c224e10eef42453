import { BACKSLASH } from './skip-value.ts';
import { wordAt } from './word.ts';

const MINUS = 0x2d;
const ZERO = 0x30;
const QUOTE = 0x22;
const MAX_STRING_TOKEN_BYTES = 130;
const MAX_DIGITS = 16;

const utf8 = new TextDecoder();

/** The number that plain digits spell (0 to 2^53−1), as in a reply to an id that we issued; −1 for anything else. */
export function parseWireId(buf: Uint8Array, start: number, end: number): number {
  const digits = end - start;
  if (digits < 1 || digits > MAX_DIGITS || (digits > 1 && buf[start] === ZERO)) return -1;
  let value = 0;
  for (let pos = start; pos < end; pos++) {
    const digit = buf[pos]! - ZERO;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : -1;
}

/**
 * Whether a JSON value can be an id here: a string of at most 128 bytes, or a safe integer in plain digits.
 * `-0` cannot: it equals 0 for most clients but not as bytes.
 */
export function isId(buf: Uint8Array, start: number, end: number): boolean {
  const first = buf[start];
  if (first === QUOTE) return end - start <= MAX_STRING_TOKEN_BYTES;
  if (first === MINUS) return parseWireId(buf, start + 1, end) > 0;
  return parseWireId(buf, start, end) >= 0;
}

/** Whether a token contains a backslash, so that other bytes may spell the same string. */
export function isEscaped(buf: Uint8Array, start: number, end: number): boolean {
  for (let pos = start; pos < end; pos++) {
    if (buf[pos] === BACKSLASH) return true;
  }
  return false;
}

/**
 * The one spelling of an id token, never longer than 130 bytes: `"a"` for both `"a"` and `"\u0061"`, while `1` and `"1"` stay apart.
 * Only a token with a backslash ({@link isEscaped}) needs it: any other is canonical as it is. The token must be valid JSON.
 */
export function canonicalId(buf: Uint8Array, start: number, end: number): Uint8Array {
  return Buffer.from(JSON.stringify(JSON.parse(utf8.decode(buf.subarray(start, end)))));
}

/** A 31-bit hash of an id token; `seed` lets a table mix in its client or a secret, so that equal ids spread. */
export function hashId(buf: Uint8Array, start: number, end: number, seed = 0): number {
  let hash = seed ^ (end - start);
  let pos = start;
  for (; pos + 4 <= end; pos += 4) hash = stir(hash, wordAt(buf, pos));
  for (; pos < end; pos++) hash = stir(hash, buf[pos]!);
  hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) & 0x7fffffff;
}

/** The rotation brings the high bits down, where a multiplication alone never takes them. */
function stir(hash: number, word: number): number {
  return Math.imul(((hash << 5) | (hash >>> 27)) ^ word, 0x9e3779b1);
}

/** Whether two canonical id tokens are the same id: same bytes, hence same JSON type. */
export function sameId(
  a: Uint8Array,
  aStart: number,
  aEnd: number,
  b: Uint8Array,
  bStart: number,
  bEnd: number,
): boolean {
  const length = aEnd - aStart;
  if (length !== bEnd - bStart) return false;
  for (let i = 0; i < length; i++) {
    if (a[aStart + i] !== b[bStart + i]) return false;
  }
  return true;
}
