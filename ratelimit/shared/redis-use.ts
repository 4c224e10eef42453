/** A lease is about what was used in this time. */
const spanMs = 30;

/** How much of each slot was used lately, by what is left of its leases: the spending itself is not counted. */
export class RecentUse {
  /** Units in the last 30 ms, about. */
  readonly #recent: Float64Array;
  /** What was there at the last look, and what was added since. */
  readonly #given: Float64Array;
  readonly #lookedAtMs: Float64Array;

  constructor(slots: number) {
    this.#recent = new Float64Array(slots);
    this.#given = new Float64Array(slots);
    this.#lookedAtMs = new Float64Array(slots);
  }

  /** So many units can be spent from now on, besides what is left. */
  add(slot: number, units: number): void {
    this.#given[slot]! += units;
  }

  /** Units used in the last 30 ms, about, when so many are left now. */
  look(slot: number, left: number, nowMs: number): number {
    const passedMs = Math.max(0, nowMs - this.#lookedAtMs[slot]!);
    const used = Math.max(0, this.#given[slot]! - left);
    const recent =
      passedMs >= spanMs ? (used * spanMs) / passedMs : this.#recent[slot]! * (1 - passedMs / spanMs) + used;
    this.#recent[slot] = recent;
    this.#given[slot] = left;
    this.#lookedAtMs[slot] = nowMs;
    return recent;
  }

  /** What is left was taken away without being used. */
  empty(slot: number): void {
    this.#given[slot] = 0;
  }

  reset(slot: number): void {
    this.#recent[slot] = 0;
    this.#given[slot] = 0;
    this.#lookedAtMs[slot] = 0;
  }
}
