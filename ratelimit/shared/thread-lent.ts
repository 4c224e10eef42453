/** Slots that may have something to give back, each once. */
export class LentSlots {
  readonly #slots: Int32Array;
  readonly #isIn: Uint8Array;
  #count = 0;
  #hand = 0;

  constructor(slots: number) {
    this.#slots = new Int32Array(slots);
    this.#isIn = new Uint8Array(slots);
  }

  add(slot: number): void {
    if (this.#isIn[slot] === 1) return;
    this.#isIn[slot] = 1;
    this.#slots[this.#count++] = slot;
  }

  /** Shows up to `count` slots, from where it last stopped; those for which `settle` returns true are out. */
  sweep(count: number, settle: (slot: number) => boolean): void {
    for (let looks = Math.min(count, this.#count); looks > 0; looks--) {
      if (this.#hand >= this.#count) this.#hand = 0;
      const slot = this.#slots[this.#hand]!;
      if (!settle(slot)) {
        this.#hand++;
        continue;
      }
      this.#isIn[slot] = 0;
      this.#slots[this.#hand] = this.#slots[--this.#count]!;
    }
  }
}
