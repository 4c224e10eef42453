/** What an upstream that has just come back may use of its capacity at first. */
const leastShare = 0.1;

/**
 * Holds an upstream back that is new, or back after it failed, so that it gets its load bit by bit: a share of its capacity that
 * grows with time. One that has never answered anything may in addition be asked little at first, twice as much with each tick:
 * what it does with that is known before the rest is sent.
 */
export class SlowStart {
  /** Nearly always false: nothing is held back. A plain field, for the balancers read it at every pick. */
  active = false;
  /** The part of its capacity that may be used now: above 0, at most 1. */
  share = 1;
  readonly #durationMs: number;
  #startedAtMs = 0;
  #cap = Infinity;

  constructor({ durationMs }: { durationMs: number }) {
    this.#durationMs = durationMs;
  }

  /** True until the first answer of an upstream that was to be asked carefully. */
  get careful(): boolean {
    return this.#cap !== Infinity;
  }

  /** From now on the share grows to 1. */
  begin(nowMs: number): void {
    this.#startedAtMs = nowMs;
    this.share = 0;
    this.tick(nowMs);
  }

  /** One request on each connection, and twice as many with each tick, until something is answered. */
  beginCarefully(): void {
    this.#cap = 1;
    this.active = true;
  }

  /** Something was answered. */
  answered(): void {
    this.#cap = Infinity;
    this.active = this.share < 1;
  }

  /** Whether a connection that has so many in flight may take one more; below `capacity` otherwise. */
  allows(inFlight: number, capacity: number): boolean {
    return !this.active || inFlight < Math.min(this.#cap, Math.max(1, capacity * this.share));
  }

  /** To be called several times a second. Returns true when more is allowed than before. */
  tick(nowMs: number): boolean {
    if (!this.active && this.share === 1) return false;
    if (this.share < 1) {
      this.share = Math.min(1, Math.max(leastShare, (nowMs - this.#startedAtMs) / this.#durationMs));
    }
    this.#cap = this.#cap > 2 ** 20 ? Infinity : this.#cap * 2;
    this.active = this.share < 1 || this.careful;
    return true;
  }
}
