const openBracket = 0x5b;
const comma = 0x2c;
const closeBracket = 0x5d;

/** The outcomes of one batch: collected one by one, answered as one array in the order of the requests. */
export class Batch {
  readonly #parts: (Uint8Array | undefined)[];
  readonly #answer: (bytes: Uint8Array) => void;
  readonly #maxBytes: number;
  #bytes = 0;
  #outstanding: number;
  #afterAnswer: (() => void)[] | undefined;

  /** `answer` is called once, when every element is settled; not at all when none of them has an outcome. */
  constructor(elements: number, maxBytes: number, answer: (bytes: Uint8Array) => void) {
    this.#parts = new Array<Uint8Array | undefined>(elements).fill(undefined);
    this.#outstanding = elements;
    this.#maxBytes = maxBytes;
    this.#answer = answer;
  }

  /** True when every element is settled. */
  get answered(): boolean {
    return this.#outstanding === 0;
  }

  /** Calls back when the answer has been given. */
  afterAnswer(callback: () => void): void {
    (this.#afterAnswer ??= []).push(callback);
  }

  /** False when a reply of this length would be more than may be collected. */
  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes;
  }

  /** Settles an element with its reply or error, or with undefined for a notification. */
  settle(index: number, part: Uint8Array | undefined): void {
    this.#parts[index] = part;
    this.#bytes += part?.length ?? 0;
    if (--this.#outstanding > 0) return;
    if (this.#outstanding < 0) throw new Error('bug: a batch element was settled twice');
    const parts = this.#parts.filter((item) => item !== undefined);
    if (parts.length > 0) this.#answer(joinArray(parts));
    for (const callback of this.#afterAnswer ?? []) callback();
  }
}

function joinArray(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length + 1, 1));
  let at = 0;
  for (const part of parts) {
    bytes[at] = at === 0 ? openBracket : comma;
    bytes.set(part, at + 1);
    at += part.length + 1;
  }
  bytes[at] = closeBracket;
  return bytes;
}
