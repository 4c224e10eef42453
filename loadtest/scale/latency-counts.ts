import type { LatencyHistogram } from '../result/latency-histogram.ts';

/** From here on, values are kept in steps of a 1,024th of their power of two. */
const exactBelow = 2_048;
const stepsPerPower = 1_024;
/** 2^30 µs are 18 minutes. */
const mostUs = 2 ** 30 - 1;
const buckets = indexOf(mostUs) + 1;

/** Latencies in microseconds and how often each was seen, as one process tells another: value, count, value, count … */
export type CountedLatencies = readonly number[];

/** Counts latencies, for one second at a time, in a few nanoseconds each; `LatencyHistogram` is what they are added to, and read from. */
export class LatencyCounts {
  readonly #counts = new Uint32Array(buckets);
  #lowest = buckets;
  #highest = -1;

  record(us: number): void {
    const index = indexOf(us < 1 ? 1 : us > mostUs ? mostUs : us | 0);
    this.#counts[index]!++;
    if (index < this.#lowest) this.#lowest = index;
    if (index > this.#highest) this.#highest = index;
  }

  /** Returns what was counted, and forgets it. */
  take(): CountedLatencies {
    const taken: number[] = [];
    for (let index = this.#lowest; index <= this.#highest; index++) {
      const count = this.#counts[index]!;
      if (count > 0) taken.push(valueAt(index), count);
      this.#counts[index] = 0;
    }
    this.#lowest = buckets;
    this.#highest = -1;
    return taken;
  }
}

/** Adds what another process has counted to a histogram. */
export function addCounted(histogram: LatencyHistogram, counted: CountedLatencies): void {
  for (let i = 0; i < counted.length; i += 2) histogram.record(counted[i]!, counted[i + 1]);
}

function indexOf(us: number): number {
  if (us < exactBelow) return us;
  const shift = 21 - Math.clz32(us);
  return shift * stepsPerPower + (us >> shift);
}

/** Returns the longest latency that has the index. */
function valueAt(index: number): number {
  if (index < exactBelow) return index;
  const shift = Math.floor(index / stepsPerPower) - 1;
  return ((index - shift * stepsPerPower + 1) << shift) - 1;
}
