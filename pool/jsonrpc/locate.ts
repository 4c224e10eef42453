import { canonicalId } from './ids.ts';
import { MAX_REPLY_DEPTH } from './scan.ts';
import {
  BACKSLASH,
  byteAt,
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COMMA,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipColon,
  skipSpace,
  skipString,
  skipValue,
} from './skip-value.ts';

/** Where a value stands inside another: its key in each object on the way, or its index in an array. */
export type JsonPath = readonly (string | number)[];

/** What {@link Locator.find} says; `doubtful` is a value that another parser might find elsewhere, or bytes that are not JSON. */
export const Finding = { absent: 0, found: 1, doubtful: 2 } as const;
export type Finding = (typeof Finding)[keyof typeof Finding];

/** A path from its dotted form: `_meta.progressToken`, `0`. Digits are an index; '' is the value itself. */
export function parsePath(dotted: string): JsonPath {
  if (dotted === '') return [];
  return dotted.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}

/** Finds a value by its path in the bytes of a JSON text, without parsing it. */
export class Locator {
  /** Where the value stands that `find` found. */
  start = -1;
  end = -1;
  readonly #steps: readonly (number | Uint8Array)[];
  readonly #stack = new Uint8Array(MAX_REPLY_DEPTH);

  constructor(path: JsonPath) {
    this.#steps = path.map((step) => (typeof step === 'number' ? step : Buffer.from(step)));
  }

  /**
   * Looks in the JSON value at `start`..`end`. A key on the way that appears twice, or in a spelling that some parsers take for
   * the same (escaped, or in other letters), makes the finding doubtful.
   */
  find(buf: Uint8Array, start: number, end: number): Finding {
    this.start = skipSpace(buf, start, end);
    this.end = end;
    for (const step of this.#steps) {
      const finding = typeof step === 'number' ? this.#findElement(buf, step) : this.#findMember(buf, step);
      if (finding !== Finding.found) return finding;
    }
    if (this.#steps.length > 0) return Finding.found;
    this.end = skipValue(buf, this.start, end, this.#stack, MAX_REPLY_DEPTH);
    return this.end < 0 ? Finding.doubtful : Finding.found;
  }

  #findMember(buf: Uint8Array, name: Uint8Array): Finding {
    const { start, end } = this;
    if (byteAt(buf, start, end) !== OPEN_BRACE) return Finding.absent;
    let found = false;
    let pos = skipSpace(buf, start + 1, end);
    let more = byteAt(buf, pos, end) !== CLOSE_BRACE;
    while (more) {
      if (byteAt(buf, pos, end) !== QUOTE) return Finding.doubtful;
      const keyEnd = skipString(buf, pos + 1, end);
      const value = keyEnd < 0 ? keyEnd : skipColon(buf, keyEnd + 1, end);
      const valueEnd = value < 0 ? value : skipValue(buf, value, end, this.#stack, MAX_REPLY_DEPTH);
      if (valueEnd < 0) return Finding.doubtful;
      if (equals(buf, pos + 1, keyEnd, name)) {
        if (found) return Finding.doubtful;
        found = true;
        this.start = value;
        this.end = valueEnd;
      } else if (resembles(buf, pos + 1, keyEnd, name)) {
        return Finding.doubtful;
      }
      pos = skipSpace(buf, valueEnd, end);
      more = byteAt(buf, pos, end) === COMMA;
      if (more) pos = skipSpace(buf, pos + 1, end);
    }
    if (byteAt(buf, pos, end) !== CLOSE_BRACE) return Finding.doubtful;
    return found ? Finding.found : Finding.absent;
  }

  #findElement(buf: Uint8Array, index: number): Finding {
    const { start, end } = this;
    if (byteAt(buf, start, end) !== OPEN_BRACKET) return Finding.absent;
    let pos = skipSpace(buf, start + 1, end);
    if (byteAt(buf, pos, end) === CLOSE_BRACKET) return Finding.absent;
    for (let left = index; ; left--) {
      const valueEnd = skipValue(buf, pos, end, this.#stack, MAX_REPLY_DEPTH);
      if (valueEnd < 0) return Finding.doubtful;
      if (left === 0) {
        this.start = pos;
        this.end = valueEnd;
        return Finding.found;
      }
      pos = skipSpace(buf, valueEnd, end);
      if (byteAt(buf, pos, end) === CLOSE_BRACKET) return Finding.absent;
      if (byteAt(buf, pos, end) !== COMMA) return Finding.doubtful;
      pos = skipSpace(buf, pos + 1, end);
    }
  }
}

function equals(buf: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  if (name.length !== end - start) return false;
  for (let i = 0; i < name.length; i++) if (buf[start + i] !== name[i]) return false;
  return true;
}

/** Whether some parsers take a key for the name though its bytes are others: escaped, or in other letters. */
function resembles(buf: Uint8Array, start: number, end: number, name: Uint8Array): boolean {
  // A key that is much longer has no way to spell it: \u006e for each letter is six bytes.
  if (end - start < name.length || end - start > 6 * name.length) return false;
  if (isPlain(buf, start, end)) {
    if (end - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) if ((buf[start + i]! | 0x20) !== (name[i]! | 0x20)) return false;
    return true;
  }
  const key = JSON.parse(Buffer.from(canonicalId(buf, start - 1, end + 1)).toString()) as string;
  return fold(key) === fold(Buffer.from(name).toString());
}

function isPlain(buf: Uint8Array, start: number, end: number): boolean {
  for (let pos = start; pos < end; pos++) if (buf[pos]! >= 0x80 || buf[pos] === BACKSLASH) return false;
  return true;
}

/** One form for all spellings in other letters, the long s and the Kelvin sign included. */
function fold(text: string): string {
  return text.toUpperCase().toLowerCase();
}
