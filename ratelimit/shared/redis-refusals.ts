/** Others may have given back what a refusal of this age was for want of. */
const staleMs = 100;

/** What is known to be refused, by slot: until when, from which cost on, and what is not to be asked about yet. */
export class Refusals {
  readonly #untilMs: Float64Array;
  /** The least cost that is refused; 0 stands for a blocked key. */
  readonly #cost: Float64Array;
  readonly #pausedUntilMs: Float64Array;
  /** When the refusal was heard of, or last asked about. */
  readonly #askedAtMs: Float64Array;

  constructor(slots: number) {
    this.#untilMs = new Float64Array(slots);
    this.#cost = new Float64Array(slots);
    this.#pausedUntilMs = new Float64Array(slots);
    this.#askedAtMs = new Float64Array(slots);
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

  /** The least cost that is refused, of a key that is not blocked; 0 when there is none. */
  refusedCost(slot: number, nowMs: number): number {
    return this.isRefused(slot, nowMs) ? this.#cost[slot]! : 0;
  }

  /** True when it is time to ask again what is refused, and then not for a while. A block stays whoever asks. */
  isTimeToAsk(slot: number, nowMs: number): boolean {
    if (nowMs - this.#askedAtMs[slot]! < staleMs || this.refusedCost(slot, nowMs) === 0) return false;
    this.#askedAtMs[slot] = nowMs;
    return true;
  }

  isPaused(slot: number, nowMs: number): boolean {
    return this.#pausedUntilMs[slot]! > nowMs;
  }

  refuse(slot: number, untilMs: number, cost: number, nowMs: number): void {
    this.#untilMs[slot] = untilMs;
    this.#cost[slot] = cost;
    this.#askedAtMs[slot] = nowMs;
  }

  block(slot: number, untilMs: number): void {
    this.#untilMs[slot] = untilMs;
    this.#cost[slot] = 0;
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
    this.refuse(to, Math.max(this.#untilMs[from]!, this.#untilMs[to]!), cost, nowMs);
  }

  /** Other figures apply: only blocks stay. */
  reconsider(): void {
    this.#cost.forEach((cost, slot) => {
      if (cost > 0) this.#untilMs[slot] = 0;
    });
    this.#pausedUntilMs.fill(0);
  }
}
