import { copyBytes } from '../copy-bytes.ts';
import { canonicalId, hashId, isEscaped, sameId } from '../jsonrpc/ids.ts';

const QUOTE = 0x22;
const maxTokenBytes = 258;

interface Entry<T> {
  readonly token: Uint8Array;
  readonly values: T[];
  next: Entry<T> | undefined;
}

/** Whether a JSON value can be an id or a token here: a string of at most 256 bytes, or a number. */
export function isToken(buf: Uint8Array, start: number, end: number): boolean {
  if (end <= start || end - start > maxTokenBytes) return false;
  const first = buf[start]!;
  return first === QUOTE || first === 0x2d || (first >= 0x30 && first <= 0x39);
}

/** A token in its one spelling, as bytes of its own. */
export function ownToken(buf: Uint8Array, start: number, end: number): Uint8Array {
  return isEscaped(buf, start, end) ? canonicalId(buf, start, end) : copyBytes(buf, start, end);
}

/** Values by ids that an upstream chose, found by their bytes: `1` and `"1"` are two. Several values may have the same id. */
export class TokenMap<T> {
  readonly #byHash = new Map<number, Entry<T>>();
  /** So that nobody can choose ids that all land in one place. */
  readonly #seed: number;
  #size = 0;

  constructor(random: () => number) {
    this.#seed = Math.floor(random() * 0x7fffffff);
  }

  /** How many values there are. */
  get size(): number {
    return this.#size;
  }

  add(token: Uint8Array, value: T): void {
    this.#size++;
    const hash = hashId(token, 0, token.length, this.#seed);
    const known = this.#find(hash, token, 0, token.length);
    if (known !== undefined) known.values.push(value);
    else this.#byHash.set(hash, { token, values: [value], next: this.#byHash.get(hash) });
  }

  /** The values of the token that stands there, in any spelling; undefined when there are none. */
  find(buf: Uint8Array, start: number, end: number): readonly T[] | undefined {
    if (!isToken(buf, start, end)) return undefined;
    if (isEscaped(buf, start, end)) {
      const token = canonicalId(buf, start, end);
      return this.#find(hashId(token, 0, token.length, this.#seed), token, 0, token.length)?.values;
    }
    return this.#find(hashId(buf, start, end, this.#seed), buf, start, end)?.values;
  }

  /** Takes a value out; true when no other has the same token. */
  remove(token: Uint8Array, value: T): boolean {
    const hash = hashId(token, 0, token.length, this.#seed);
    const entry = this.#find(hash, token, 0, token.length);
    const index = entry?.values.indexOf(value) ?? -1;
    if (entry === undefined || index < 0) throw new Error('bug: a token was removed that is not there');
    this.#size--;
    entry.values.splice(index, 1);
    if (entry.values.length > 0) return false;
    this.#unlink(hash, entry);
    return true;
  }

  /** All values. */
  values(): T[] {
    const all: T[] = [];
    for (const first of this.#byHash.values()) {
      for (let entry: Entry<T> | undefined = first; entry !== undefined; entry = entry.next) {
        all.push(...entry.values);
      }
    }
    return all;
  }

  #find(hash: number, buf: Uint8Array, start: number, end: number): Entry<T> | undefined {
    let entry = this.#byHash.get(hash);
    while (entry !== undefined && !sameId(entry.token, 0, entry.token.length, buf, start, end)) {
      entry = entry.next;
    }
    return entry;
  }

  #unlink(hash: number, gone: Entry<T>): void {
    const first = this.#byHash.get(hash)!;
    if (first === gone) {
      if (gone.next === undefined) this.#byHash.delete(hash);
      else this.#byHash.set(hash, gone.next);
      return;
    }
    let before = first;
    while (before.next !== gone) before = before.next!;
    before.next = gone.next;
  }
}
