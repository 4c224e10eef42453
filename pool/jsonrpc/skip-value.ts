import { word, wordAt } from './word.ts';

/** What {@link skipValue} returns instead of a position when the bytes are not JSON (RFC 8259). */
export const NOT_JSON = -1;
/** What {@link skipValue} returns instead of a position when the value nests deeper than allowed. */
export const TOO_DEEP = -2;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const OPEN_BRACKET = 0x5b;
export const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const COLON = 0x3a;
const MINUS = 0x2d;
const PLUS = 0x2b;
const DOT = 0x2e;
const ZERO = 0x30;
const LOWER_E = 0x65;
const LOWER_F = 0x66;
const LOWER_N = 0x6e;
const LOWER_T = 0x74;
const TRUE = word('true');
const ALSE = word('alse');
const NULL = word('null');

const PLAIN = byteSet((byte) => byte >= 0x20 && byte !== QUOTE && byte !== BACKSLASH);
const SPACE = byteSet((byte) => ' \n\r\t'.includes(String.fromCharCode(byte)));
const HEX = byteSet((byte) => /[0-9a-fA-F]/.test(String.fromCharCode(byte)));
const SIMPLE_ESCAPE = byteSet((byte) => '"\\/bfnrt'.includes(String.fromCharCode(byte)));

function byteSet(contains: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (contains(byte) ? 1 : 0));
}

/** The byte at `pos`, or 0 (which JSON never allows) at or past `end`. */
export function byteAt(buf: Uint8Array, pos: number, end: number): number {
  return pos < end ? buf[pos]! : 0;
}

/** The first position from `pos` that is not JSON whitespace; `end` when there is none. */
export function skipSpace(buf: Uint8Array, pos: number, end: number): number {
  // Compact JSON is the rule: the test must be small enough to be inlined everywhere.
  return pos < end && buf[pos]! > 0x20 ? pos : skipSpaceRun(buf, pos, end);
}

function skipSpaceRun(buf: Uint8Array, pos: number, end: number): number {
  while (pos < end && SPACE[buf[pos]!] === 1) pos++;
  return pos;
}

/** `pos` is after the opening quote: the position of the closing one, or {@link NOT_JSON}. */
export function skipString(buf: Uint8Array, pos: number, end: number): number {
  for (;;) {
    if (pos < end && PLAIN[buf[pos]!] === 1) pos = skipPlain(buf, pos + 1, end);
    const byte = byteAt(buf, pos, end);
    if (byte === QUOTE) return pos;
    if (byte !== BACKSLASH) return NOT_JSON;
    pos = skipEscape(buf, pos + 1, end);
    if (pos < 0) return NOT_JSON;
  }
}

function skipPlain(buf: Uint8Array, pos: number, end: number): number {
  const near = Math.min(end, pos + 12);
  while (pos < near && PLAIN[buf[pos]!] === 1) pos++;
  if (pos < near) return pos;
  // Long strings: one branch for eight bytes.
  while (pos + 8 <= end) {
    const low = PLAIN[buf[pos]!]! & PLAIN[buf[pos + 1]!]! & PLAIN[buf[pos + 2]!]! & PLAIN[buf[pos + 3]!]!;
    const high =
      PLAIN[buf[pos + 4]!]! & PLAIN[buf[pos + 5]!]! & PLAIN[buf[pos + 6]!]! & PLAIN[buf[pos + 7]!]!;
    if ((low & high) === 0) break;
    pos += 8;
  }
  while (pos < end && PLAIN[buf[pos]!] === 1) pos++;
  return pos;
}

/** `pos` is after the backslash. */
function skipEscape(buf: Uint8Array, pos: number, end: number): number {
  const byte = byteAt(buf, pos, end);
  if (SIMPLE_ESCAPE[byte] === 1) return pos + 1;
  if (byte !== 0x75 || pos + 5 > end) return NOT_JSON;
  const hex = HEX[buf[pos + 1]!]! & HEX[buf[pos + 2]!]! & HEX[buf[pos + 3]!]! & HEX[buf[pos + 4]!]!;
  return hex === 1 ? pos + 5 : NOT_JSON;
}

/** `pos` is after a key's closing quote: the position of the value, or {@link NOT_JSON} without a colon. */
export function skipColon(buf: Uint8Array, pos: number, end: number): number {
  pos = skipSpace(buf, pos, end);
  return byteAt(buf, pos, end) === COLON ? skipSpace(buf, pos + 1, end) : NOT_JSON;
}

/**
 * The position after the JSON value (RFC 8259, strictly) that starts at `pos`, or {@link NOT_JSON} or {@link TOO_DEEP}.
 * `pos` must be past any whitespace. `stack` has room for `maxDepth` bytes and is scratch; UTF-8 is not checked.
 */
export function skipValue(
  buf: Uint8Array,
  pos: number,
  end: number,
  stack: Uint8Array,
  maxDepth: number,
): number {
  // The two brackets differ from the two braces in this bit alone, and from every scalar in the others.
  const isContainer = (byteAt(buf, pos, end) | 0x20) === OPEN_BRACE;
  return isContainer ? skipContainer(buf, pos, end, stack, maxDepth) : skipScalar(buf, pos, end);
}

function skipContainer(
  buf: Uint8Array,
  pos: number,
  end: number,
  stack: Uint8Array,
  maxDepth: number,
): number {
  let depth = 0;
  for (;;) {
    const open = byteAt(buf, pos, end);
    if (open === OPEN_BRACE || open === OPEN_BRACKET) {
      if (depth === maxDepth) return TOO_DEEP;
      const close = open + 2;
      pos = skipSpace(buf, pos + 1, end);
      if (byteAt(buf, pos, end) === close) {
        pos++;
      } else {
        stack[depth++] = close;
        if (open === OPEN_BRACE) pos = skipKey(buf, pos, end);
        if (pos < 0) return NOT_JSON;
        continue;
      }
    } else {
      pos = skipScalar(buf, pos, end);
      if (pos < 0) return NOT_JSON;
    }
    // A value has just ended: close containers until one has another value.
    for (;;) {
      if (depth === 0) return pos;
      pos = skipSpace(buf, pos, end);
      const close = stack[depth - 1]!;
      const byte = byteAt(buf, pos++, end);
      if (byte === COMMA) {
        pos = skipSpace(buf, pos, end);
        if (close === CLOSE_BRACE) pos = skipKey(buf, pos, end);
        if (pos < 0) return NOT_JSON;
        break;
      }
      if (byte !== close) return NOT_JSON;
      depth--;
    }
  }
}

/** From a key's opening quote to the first byte of its value. */
function skipKey(buf: Uint8Array, pos: number, end: number): number {
  if (byteAt(buf, pos, end) !== QUOTE) return NOT_JSON;
  const close = skipString(buf, pos + 1, end);
  return close < 0 ? NOT_JSON : skipColon(buf, close + 1, end);
}

function skipScalar(buf: Uint8Array, pos: number, end: number): number {
  const byte = byteAt(buf, pos, end);
  if (byte === QUOTE) {
    const close = skipString(buf, pos + 1, end);
    return close < 0 ? NOT_JSON : close + 1;
  }
  if (byte === LOWER_T) return pos + 4 <= end && wordAt(buf, pos) === TRUE ? pos + 4 : NOT_JSON;
  if (byte === LOWER_F) return pos + 5 <= end && wordAt(buf, pos + 1) === ALSE ? pos + 5 : NOT_JSON;
  if (byte === LOWER_N) return pos + 4 <= end && wordAt(buf, pos) === NULL ? pos + 4 : NOT_JSON;
  return skipNumber(buf, pos, end);
}

function skipNumber(buf: Uint8Array, pos: number, end: number): number {
  if (byteAt(buf, pos, end) === MINUS) pos++;
  pos = byteAt(buf, pos, end) === ZERO ? pos + 1 : skipDigits(buf, pos, end);
  if (pos < 0) return NOT_JSON;
  const next = byteAt(buf, pos, end);
  return next === DOT || (next | 0x20) === LOWER_E ? skipFraction(buf, pos, end) : pos;
}

function skipFraction(buf: Uint8Array, pos: number, end: number): number {
  if (buf[pos] === DOT) pos = skipDigits(buf, pos + 1, end);
  if (pos < 0 || (byteAt(buf, pos, end) | 0x20) !== LOWER_E) return pos;
  const sign = byteAt(buf, pos + 1, end);
  return skipDigits(buf, sign === PLUS || sign === MINUS ? pos + 2 : pos + 1, end);
}

/** After one digit or more; {@link NOT_JSON} when there is none. */
function skipDigits(buf: Uint8Array, pos: number, end: number): number {
  const first = pos;
  while (pos < end && isDigit(buf[pos]!)) pos++;
  return pos === first ? NOT_JSON : pos;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= 0x39;
}
