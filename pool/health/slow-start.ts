/** What an upstream that has just come back may use of its capacity at first. */
const leastShare = 0.1;
/** How long one that is asked carefully may be silent before it is asked more. */
const patienceMs = 200;

/**
 * Holds an upstream back that is new, or back after it failed, so that it gets its load bit by bit: a share of its capacity that
 * grows with time. One that has never answered anything may in addition be asked little at first, twice as much after each while:
 * what it does with that is known before the rest is sent.
 */
export class SlowStart {
  /** Nearly always false: nothing is held back. A plain field, for the balancers read it at every pick. */
  active = false;
  /** The part of its capacity that may be used now: above 0, at most 1. */
  share = 1;
  readonly #durationMs: number;
  #startedAtMs = 0;
  /** While careful: how much may be asked in all, and how much has been. */
  #cap = Infinity;
  #asked = 0;
  #silentSinceMs = Infinity;

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
    this.share = leastShare;
    this.active = true;
    this.tick(nowMs);
  }

  /** One request, and twice as many in all after each while of silence, until something is answered. */
  beginCarefully(): void {
    this.#cap = 1;
    this.#asked = 0;
    this.active = true;
  }

  /** Something is being asked. */
  asked(): void {
    this.#asked++;
  }

  /** Something was answered. */
  answered(): void {
    this.#cap = Infinity;
    this.#asked = 0;
    this.active = this.share < 1;
  }

  /** Whether a connection that has so many in flight may take one more; below `capacity` otherwise. */
  allows(inFlight: number, capacity: number): boolean {
    if (!this.active) return true;
    return this.#asked < this.#cap && inFlight < Math.max(1, capacity * this.share);
  }

  /** To be called several times a second. Returns true when more is allowed than before. */
  tick(nowMs: number): boolean {
    if (!this.active) return false;
    if (this.share < 1) {
      this.share = Math.min(1, Math.max(leastShare, (nowMs - this.#startedAtMs) / this.#durationMs));
    }
    this.#relent(nowMs);
    this.active = this.share < 1 || this.careful;
    return true;
  }

  /** It may be asked more once it has been asked all that it might be and was silent for a while. Time alone tells nothing. */
  #relent(nowMs: number): void {
    if (this.#asked < this.#cap) this.#silentSinceMs = Infinity;
    else if (this.#silentSinceMs === Infinity) this.#silentSinceMs = nowMs;
    else if (nowMs - this.#silentSinceMs >= patienceMs) {
      this.#cap *= 2;
      this.#silentSinceMs = Infinity;
    }
  }
}
