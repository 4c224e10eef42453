interface Entry {
  plain: Uint8Array;
  plainLength: number;
  isBinary: boolean;
  wire: Uint8Array;
  wireLength: number;
}

interface LargeEntry {
  readonly plain: Uint8Array;
  readonly isBinary: boolean;
  readonly wire: Promise<Uint8Array | undefined>;
}

const entries = 4;
const largeEntries = 2;
/** A longer message is remembered only while it is being encoded. */
const keptBytes = 1 << 20;

/** The messages encoded last, so that one which goes to many clients is compressed once. They are compared byte by byte. */
export class RecentMessages {
  readonly #ring: readonly Entry[] = Array.from({ length: entries }, emptyEntry);
  readonly #large: LargeEntry[] = [];
  #newest = 0;

  /** The wire form of this very message, valid until the next `keep`; undefined when it is not among the last. */
  find(plain: Uint8Array, isBinary: boolean): Uint8Array | undefined {
    for (let i = 0; i < entries; i++) {
      const entry = this.#ring[(this.#newest + entries - i) % entries]!;
      if (entry.plainLength !== plain.length || entry.isBinary !== isBinary) continue;
      if (Buffer.compare(entry.plain.subarray(0, plain.length), plain) === 0)
        return entry.wire.subarray(0, entry.wireLength);
    }
    return undefined;
  }

  /** Remembers a message in place of the oldest. */
  keep(plain: Uint8Array, isBinary: boolean, wire: Uint8Array): void {
    this.#newest = (this.#newest + 1) % entries;
    const entry = this.#ring[this.#newest]!;
    entry.plain = copyInto(entry.plain, plain);
    entry.plainLength = plain.length;
    entry.wire = copyInto(entry.wire, wire);
    entry.wireLength = wire.length;
    entry.isBinary = isBinary;
  }

  /** What `encode` makes of a large message, called now unless it is being or was just encoded. `plain` must not change any more. */
  large(
    plain: Uint8Array,
    isBinary: boolean,
    encode: () => Promise<Uint8Array | undefined>,
  ): Promise<Uint8Array | undefined> {
    const known = this.#large.find(
      (entry) => entry.isBinary === isBinary && Buffer.compare(entry.plain, plain) === 0,
    );
    if (known !== undefined) return known.wire;
    const entry = { plain, isBinary, wire: encode() };
    entry.wire.then(
      () => {
        if (plain.length > keptBytes) this.#forget(entry);
      },
      () => this.#forget(entry),
    );
    this.#large.push(entry);
    if (this.#large.length > largeEntries) this.#large.shift();
    return entry.wire;
  }

  #forget(entry: LargeEntry): void {
    const index = this.#large.indexOf(entry);
    if (index >= 0) this.#large.splice(index, 1);
  }
}

function emptyEntry(): Entry {
  return {
    plain: new Uint8Array(0),
    plainLength: -1,
    isBinary: false,
    wire: new Uint8Array(0),
    wireLength: 0,
  };
}

function copyInto(target: Uint8Array, bytes: Uint8Array): Uint8Array {
  const kept = target.length < bytes.length ? new Uint8Array(bytes.length) : target;
  kept.set(bytes);
  return kept;
}
