/** After this time without a higher one, a peak has shrunk to a third; Finagle's default. */
const decayMs = 10_000;
/** What is quicker than the clock can tell still is an answer, not the lack of one. */
const leastMs = 0.01;
/** Longer than anything takes that answers at all. */
const unansweredMs = 1e9;

/**
 * How long an upstream takes to answer: the moving average of Finagle's "peak EWMA". It follows a rise at once and a fall
 * slowly, and shrinks while nothing is heard, so that an upstream which was slow is tried again.
 */
export class Latency {
  /**
   * Milliseconds; 0 while nothing is known, and more than any that are while the first question has no answer. A plain field, for
   * the balancers read it at every pick.
   */
  ms = 0;
  #atMs = 0;

  /** Something is being asked. */
  asked(): void {
    if (this.ms === 0) this.ms = unansweredMs;
  }

  /** What was asked may never be answered: its connection is gone. */
  forgetAsked(): void {
    if (this.ms === unansweredMs) this.ms = 0;
  }

  /** An answer took that long. */
  observe(tookMs: number, nowMs: number): void {
    if (tookMs >= this.ms || this.ms === unansweredMs) {
      this.ms = Math.max(tookMs, leastMs);
      this.#atMs = nowMs;
    } else if (nowMs > this.#atMs) {
      // All answers of one turn come at one time: only the first of them moves the average.
      const weight = Math.exp((this.#atMs - nowMs) / decayMs);
      this.ms = Math.max(this.ms * weight + tookMs * (1 - weight), leastMs);
      this.#atMs = nowMs;
    }
  }

  /** Something has waited that long for an answer, and still does. */
  waiting(ageMs: number, nowMs: number): void {
    if (ageMs > this.ms) this.observe(ageMs, nowMs);
  }

  /** Time passed; to be called several times a second. */
  decay(nowMs: number): void {
    if (this.ms === 0 || this.ms === unansweredMs) return;
    this.ms *= Math.exp((this.#atMs - nowMs) / decayMs);
    this.#atMs = nowMs;
    if (this.ms < leastMs) this.ms = 0;
  }
}
