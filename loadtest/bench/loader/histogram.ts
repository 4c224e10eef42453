const bucketsPerOctave = 32;
const octaves = 24;

/** The content of a histogram, to be sent to another process. */
export interface LatencyRecords {
  readonly counts: readonly number[];
  readonly maxUs: number;
}

/** Latencies in log-spaced buckets from 1 µs to 16 s; a read-out is at most 2.2 % above the truth. */
export class LatencyHistogram {
  readonly #counts = new Float64Array(bucketsPerOctave * octaves);
  #total = 0;
  #maxUs = 0;

  /** Counts `times` latencies of `us` microseconds. */
  record(us: number, times: number): void {
    const bucket = Math.ceil(Math.log2(Math.max(us, 1)) * bucketsPerOctave);
    this.#counts[Math.min(bucket, this.#counts.length - 1)]! += times;
    this.#total += times;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** What was recorded, for `add` in another process. */
  get records(): LatencyRecords {
    return { counts: [...this.#counts], maxUs: this.#maxUs };
  }

  /** Adds what another histogram has recorded. */
  add({ counts, maxUs }: LatencyRecords): void {
    for (const [bucket, count] of counts.entries()) {
      this.#counts[bucket]! += count;
      this.#total += count;
    }
    this.#maxUs = Math.max(this.#maxUs, maxUs);
  }

  get maxUs(): number {
    return this.#maxUs;
  }

  /** Returns the latency in microseconds that `share` (0 to 1) of the records do not exceed; 0 when there are none. */
  quantileUs(share: number): number {
    let left = this.#total * share;
    for (let bucket = 0; bucket < this.#counts.length; bucket++) {
      left -= this.#counts[bucket]!;
      if (left <= 0 && this.#total > 0) return Math.min(2 ** (bucket / bucketsPerOctave), this.#maxUs);
    }
    return 0;
  }
}
