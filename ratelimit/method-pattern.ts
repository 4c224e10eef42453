/** Matches JSON-RPC method names in the bytes of a message: one name, or all that start like `tools/*`. */
export class MethodPattern {
  readonly #bytes: Uint8Array;
  readonly #isPrefix: boolean;

  constructor(pattern: string) {
    this.#isPrefix = pattern.endsWith('*');
    this.#bytes = Buffer.from(this.#isPrefix ? pattern.slice(0, -1) : pattern);
  }

  /** Tests the name that stands, without escapes, from `start` to `end`. */
  matches(buf: Uint8Array, start: number, end: number): boolean {
    const bytes = this.#bytes;
    const length = end - start;
    if (this.#isPrefix ? length < bytes.length : length !== bytes.length) return false;
    for (let index = 0; index < bytes.length; index++) if (buf[start + index] !== bytes[index]) return false;
    return true;
  }
}
