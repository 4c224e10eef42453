/** What is known to be refused, by slot: until when, from which cost on, and what is not to be asked about yet. */
export class Refusals {
  readonly #untilMs: Float64Array;
  /** The least cost that is refused; 0 stands for a blocked key. */
  readonly #cost: Float64Array;
  readonly #pausedUntilMs: Float64Array;

  constructor(slots: number) {
    this.#untilMs = new Float64Array(slots);
    this.#cost = new Float64Array(slots);
    this.#pausedUntilMs = new Float64Array(slots);
  }

  /** For how long the cost is refused without asking; 0 = it is not. */
  waitMs(slot: number, cost: number, ratePerSecond: number, nowMs: number): number {
    const refusedMs = this.#untilMs[slot]! - nowMs;
    const least = this.#cost[slot]!;
    if (refusedMs > 0 && cost >= least) {
      const moreMs = least === 0 ? 0 : ((cost - least) * 1000) / ratePerSecond;
      return Math.ceil(refusedMs + moreMs);
    }
    return Math.max(0, Math.ceil(this.#pausedUntilMs[slot]! - nowMs));
  }

  isRefused(slot: number, nowMs: number): boolean {
    return this.#untilMs[slot]! > nowMs;
  }

  isBlocked(slot: number, nowMs: number): boolean {
    return this.#cost[slot] === 0 && this.isRefused(slot, nowMs);
  }

  isPaused(slot: number, nowMs: number): boolean {
    return this.#pausedUntilMs[slot]! > nowMs;
  }

  refuse(slot: number, untilMs: number, cost: number): void {
    this.#untilMs[slot] = untilMs;
    this.#cost[slot] = cost;
  }

  block(slot: number, untilMs: number): void {
    this.refuse(slot, untilMs, 0);
  }

  pause(slot: number, untilMs: number): void {
    this.#pausedUntilMs[slot] = untilMs;
  }

  allow(slot: number): void {
    this.#untilMs[slot] = 0;
  }

  reset(slot: number): void {
    this.#untilMs[slot] = 0;
    this.#pausedUntilMs[slot] = 0;
  }

  /** `to` is refused all that it was, and all that `from` is. */
  merge(from: number, to: number, nowMs: number): void {
    const cost = this.isRefused(to, nowMs) ? Math.min(this.#cost[from]!, this.#cost[to]!) : this.#cost[from]!;
    this.refuse(to, Math.max(this.#untilMs[from]!, this.#untilMs[to]!), cost);
  }

  /** Other figures apply: only blocks stay. */
  reconsider(): void {
    this.#cost.forEach((cost, slot) => {
      if (cost > 0) this.#untilMs[slot] = 0;
    });
    this.#pausedUntilMs.fill(0);
  }
}
