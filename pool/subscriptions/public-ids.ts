const QUOTE = 0x22;

/** Makes the ids that clients know their subscriptions by: no two are alike, whatever upstreams call theirs. */
export class PublicIds {
  readonly #prefix: string;
  #next: number;

  constructor(random: () => number) {
    // The first digit is no 0: Ethereum's quantities have none.
    const high = Math.floor(0x10000000 + random() * 0xefffffff).toString(16);
    this.#prefix = `0x${high}${hexWord(random)}`;
    this.#next = Math.floor(random() * 2 ** 31);
  }

  /** A new id as a JSON token, of the same JSON type as the upstream's. */
  next(upstreamToken: Uint8Array): Uint8Array {
    const number = ++this.#next;
    if (upstreamToken[0] !== QUOTE) return Buffer.from(String(number));
    return Buffer.from(`"${this.#prefix}${number.toString(16).padStart(16, '0')}"`);
  }
}

function hexWord(random: () => number): string {
  return Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
}
