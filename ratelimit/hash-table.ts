/**
 * Finds numbered entries by 64-bit hashes, given as two int32. Open addressing with linear probing over typed arrays of fixed
 * size, at most half full: it never grows, so no call ever takes long. The hashes must be hard to choose for those who send
 * the keys.
 */
export class HashTable {
  /** Entry + 1, or 0 where there is none. */
  readonly #places: Int32Array;
  readonly #mask: number;
  readonly #lows: Int32Array;
  readonly #highs: Int32Array;

  /** Entries are the numbers from 0 to maxEntries − 1. */
  constructor(maxEntries: number) {
    const places = 2 ** Math.ceil(Math.log2(2 * maxEntries));
    this.#places = new Int32Array(places);
    this.#mask = places - 1;
    this.#lows = new Int32Array(maxEntries);
    this.#highs = new Int32Array(maxEntries);
  }

  /** The entry with this hash, or -1. */
  find(low: number, high: number): number {
    for (let place = low & this.#mask; ; place = (place + 1) & this.#mask) {
      const entry = this.#places[place]! - 1;
      if (entry < 0) return -1;
      if (this.#lows[entry] === low && this.#highs[entry] === high) return entry;
    }
  }

  /** Adds an entry that is not in the table, under a hash that is not in it. */
  add(entry: number, low: number, high: number): void {
    this.#lows[entry] = low;
    this.#highs[entry] = high;
    let place = low & this.#mask;
    while (this.#places[place] !== 0) place = (place + 1) & this.#mask;
    this.#places[place] = entry + 1;
  }

  /** Takes an entry out. Throws when it is not in the table. */
  remove(entry: number): void {
    let gap = this.#placeOf(entry);
    let place = gap;
    for (;;) {
      place = (place + 1) & this.#mask;
      const next = this.#places[place]!;
      if (next === 0) break;
      // What stands after the gap moves into it, unless it would then stand before its home.
      const fromHome = (place - this.#lows[next - 1]!) & this.#mask;
      if (fromHome < ((place - gap) & this.#mask)) continue;
      this.#places[gap] = next;
      gap = place;
    }
    this.#places[gap] = 0;
  }

  /** The upper half of the hash that the entry was last added under. */
  highOf(entry: number): number {
    return this.#highs[entry]!;
  }

  #placeOf(entry: number): number {
    for (let place = this.#lows[entry]! & this.#mask; ; place = (place + 1) & this.#mask) {
      const found = this.#places[place]!;
      if (found === entry + 1) return place;
      if (found === 0) throw new Error('bug: removed an entry that is not in the table');
    }
  }
}
