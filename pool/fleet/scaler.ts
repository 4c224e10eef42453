export interface ScalerOptions {
  /** Share of the in-flight capacity in use above which connections are added. */
  readonly scaleUpThreshold: number;
  /** Share of the in-flight capacity in use below which connections are closed. */
  readonly scaleDownThreshold: number;
  readonly scaleIntervalMs: number;
}

/** What shared connections have to do at one moment. */
export interface SharedLoad {
  /** Connections that take new work, those being dialled included. */
  readonly connections: number;
  /** What one of them can have in flight. */
  readonly slots: number;
  /** What is in flight and what waits for room. */
  readonly demand: number;
  /** Bounds on the number of connections. */
  readonly fewest: number;
  readonly most: number;
}

/** So many intervals have to be calm before connections are closed: then a burst that comes again finds them open. */
const calmIntervals = 12;

/**
 * Decides how many shared connections there should be, once in an interval. It adds when the mean of the interval is above
 * the upper threshold, and closes when the peak of a dozen intervals is below the lower one and none was added
 * in that time. Both aim at the middle between the thresholds, and that is what keeps it from going to and fro.
 */
export class Scaler {
  readonly #options: ScalerOptions;
  /** The share in use that a decision aims at. */
  readonly #target: number;
  /** The peaks of the latest intervals, and of the one that runs at `#at`. */
  readonly #peaks = new Float64Array(calmIntervals);
  #at = 0;
  #sum = 0;
  #samples = 0;
  #decideAtMs: number;
  /** Intervals to come in which nothing is closed; at the start nothing is known. */
  #restlessIntervals = calmIntervals;

  constructor(options: ScalerOptions, nowMs: number) {
    this.#options = options;
    const { scaleUpThreshold, scaleDownThreshold } = options;
    this.#target = (scaleUpThreshold + scaleDownThreshold) / 2;
    this.#decideAtMs = nowMs + options.scaleIntervalMs;
  }

  /** Connections were added for some reason: they stay for a while. */
  onGrowth(): void {
    this.#restlessIntervals = calmIntervals;
  }

  /** To be called several times an interval. Returns how many connections to add, or below 0 to close; mostly 0. */
  decide(load: SharedLoad, nowMs: number): number {
    const { demand } = load;
    this.#peaks[this.#at] = Math.max(this.#peaks[this.#at]!, demand);
    this.#sum += demand;
    this.#samples++;
    if (nowMs < this.#decideAtMs) return 0;
    const change = this.#change(load, this.#sum / this.#samples);
    if (change > 0) this.onGrowth();
    this.#decideAtMs = nowMs + this.#options.scaleIntervalMs;
    this.#at = (this.#at + 1) % calmIntervals;
    this.#peaks[this.#at] = 0;
    this.#sum = this.#samples = 0;
    return change;
  }

  #change(load: SharedLoad, meanDemand: number): number {
    const { connections, slots, fewest, most } = load;
    const capacity = connections * slots;
    if (meanDemand > this.#options.scaleUpThreshold * capacity) {
      const wanted = Math.min(most, this.#connectionsFor(meanDemand, slots));
      // At most twice as many at once: a load that is gone with the next interval should not have cost a storm of dials.
      return Math.max(0, Math.min(wanted - connections, Math.max(1, connections)));
    }
    if (this.#restlessIntervals > 0) {
      this.#restlessIntervals--;
      return 0;
    }
    const peak = this.#peaks.reduce((most, one) => Math.max(most, one), 0);
    if (peak >= this.#options.scaleDownThreshold * capacity) return 0;
    return Math.min(0, Math.max(fewest, this.#connectionsFor(peak, slots)) - connections);
  }

  #connectionsFor(demand: number, slots: number): number {
    return Math.ceil(demand / (slots * this.#target));
  }
}
