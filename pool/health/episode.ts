/** How long after an episode another one is a relapse, at least. */
const memoryMs = 60_000;

/**
 * Something that goes wrong for a while, such that a log need say so only when it begins and when it is over: it begins with its
 * first sign, and is over when none has come for a time. That time doubles with each relapse, up to a minute, so that what comes
 * and goes all the time is one long episode.
 */
export class Episode {
  /** Signs since it began. */
  signs = 0;
  /** When the last sign was. */
  lastSignMs = -Infinity;
  readonly #baseQuietMs: number;
  #quietMs: number;
  #beganAtMs = 0;
  #endedAtMs = -Infinity;

  constructor(quietMs: number) {
    this.#baseQuietMs = quietMs;
    this.#quietMs = quietMs;
  }

  get isOn(): boolean {
    return this.signs > 0;
  }

  /** How long it has been going on. */
  ageMs(nowMs: number): number {
    return Math.round(nowMs - this.#beganAtMs);
  }

  /** It goes wrong, now; returns true when that begins an episode. */
  sign(nowMs: number, signs = 1): boolean {
    const begins = !this.isOn;
    if (begins) {
      const isRelapse = nowMs - this.#endedAtMs < Math.max(memoryMs, this.#quietMs);
      this.#quietMs = isRelapse ? Math.min(this.#quietMs * 2, memoryMs) : this.#baseQuietMs;
      this.#beganAtMs = nowMs;
    }
    this.signs += signs;
    this.lastSignMs = nowMs;
    return begins;
  }

  /** To be called now and then while nothing speaks against its end; returns true when it is due, and `end` is to follow. */
  isOver(nowMs: number): boolean {
    return this.isOn && nowMs - this.lastSignMs >= this.#quietMs;
  }

  end(nowMs: number): void {
    this.signs = 0;
    this.#endedAtMs = nowMs;
  }
}
