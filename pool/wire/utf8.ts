import { isUtf8 } from 'node:buffer';

// Up to here the loop is faster than the view that the native check needs, and allocates nothing.
const LOOP_MAX_BYTES = 96;

/** Whether the bytes are well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
export function isValidUtf8(buf: Uint8Array, start: number, end: number): boolean {
  if (end - start > LOOP_MAX_BYTES) return isUtf8(buf.subarray(start, end));
  return isAscii(buf, start, end) || isWellFormed(buf, start, end);
}

/** Eight bytes a step: half the time of one by one. */
function isAscii(buf: Uint8Array, start: number, end: number): boolean {
  let all = 0;
  let i = start;
  for (; i + 8 <= end; i += 8) {
    all |= buf[i]! | buf[i + 1]! | buf[i + 2]! | buf[i + 3]!;
    all |= buf[i + 4]! | buf[i + 5]! | buf[i + 6]! | buf[i + 7]!;
  }
  while (i < end) all |= buf[i++]!;
  return all < 0x80;
}

function isWellFormed(buf: Uint8Array, start: number, end: number): boolean {
  let i = start;
  while (i < end) {
    const length = characterBytes(buf, i, end);
    if (length === 0) return false;
    i += length;
  }
  return true;
}

/** Length of the character at `i`, or 0 when it is malformed; the ranges are Unicode's table 3-7. */
function characterBytes(buf: Uint8Array, i: number, end: number): number {
  const lead = buf[i]!;
  if (lead < 0x80) return 1;
  const length = lead < 0xc2 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : lead < 0xf5 ? 4 : 0;
  if (length === 0 || i + length > end) return 0;
  const second = buf[i + 1]!;
  const lowest = lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
  const highest = lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
  if (second < lowest || second > highest) return 0;
  for (let k = i + 2; k < i + length; k++) {
    if ((buf[k]! & 0xc0) !== 0x80) return 0;
  }
  return length;
}
