import {
  build,
  decodeFromCompressedBase64,
  encodeIntoCompressedBase64,
  type Histogram,
} from 'hdr-histogram-js';
import type { LatencyFigures, SecondOfRun } from './run-result.ts';

const mostUs = 600_000_000;
const range = {
  bitBucketSize: 32,
  autoResize: false,
  lowestDiscernibleValue: 1,
  highestTrackableValue: mostUs,
  numberOfSignificantValueDigits: 3,
} as const;

/** What thor shows, and what shows the tail. */
const shownPercentiles = [50, 66, 75, 80, 90, 95, 98, 99, 99.9, 99.99, 100];
/** The percentiles of a curve are this much of the distance to 100 % apart. */
const curveStep = 0.8;
const lastOfCurve = 1e-6;

/** Latencies from 1 µs to 10 minutes in an HDR histogram: a read-out is at most 0.1 % above the truth. Longer ones count as 10 minutes. */
export class LatencyHistogram {
  readonly #histogram: Histogram;

  constructor(histogram: Histogram = build(range)) {
    this.#histogram = histogram;
  }

  /** Returns what `encoded` of another histogram, perhaps in another process, made; throws when it is none. */
  static decode(encoded: string): LatencyHistogram {
    return new LatencyHistogram(decodeFromCompressedBase64(encoded, 32, false));
  }

  /** Counts `times` latencies of `us` microseconds. */
  record(us: number, times = 1): void {
    const whole = us < 1 ? 1 : us > mostUs ? mostUs : Math.round(us);
    if (times === 1) this.#histogram.recordValue(whole);
    else this.#histogram.recordValueWithCount(whole, times);
  }

  /** Adds what another histogram has recorded. */
  add(other: LatencyHistogram): void {
    this.#histogram.add(other.#histogram);
  }

  /** Forgets everything. */
  reset(): void {
    this.#histogram.reset();
  }

  /** How many latencies were recorded. */
  get count(): number {
    return this.#histogram.totalCount;
  }

  /** The longest, in microseconds; 0 when there is none. */
  get maxUs(): number {
    return this.#histogram.maxValue;
  }

  /** The compressed form (HdrHistogram V2, base64) that other tools read as well. */
  get encoded(): string {
    return encodeIntoCompressedBase64(this.#histogram);
  }

  /** Returns the latency in microseconds that `share` (0 to 1) of the records do not exceed; 0 when there are none. */
  quantileUs(share: number): number {
    if (this.count === 0) return 0;
    return Math.min(this.#histogram.getValueAtPercentile(share * 100), this.maxUs);
  }

  /** The percentiles that a second or a stage shows; null when nothing was recorded. */
  shownMs(): SecondOfRun['latencyMs'] {
    if (this.count === 0) return null;
    const ms = (share: number): number => this.quantileUs(share) / 1_000;
    return { p50: ms(0.5), p95: ms(0.95), p99: ms(0.99), max: this.maxUs / 1_000 };
  }

  /** All that a report shows of it; undefined when nothing was recorded. */
  figures(): LatencyFigures | undefined {
    if (this.count === 0) return undefined;
    const ms = (us: number): number => us / 1_000;
    return {
      count: this.count,
      minMs: ms(this.#histogram.minNonZeroValue),
      meanMs: ms(this.#histogram.mean),
      stddevMs: ms(this.#histogram.stdDeviation),
      maxMs: ms(this.maxUs),
      percentilesMs: Object.fromEntries(
        shownPercentiles.map((percentile) => [String(percentile), ms(this.quantileUs(percentile / 100))]),
      ),
      curve: this.#curve(),
      hdr: this.encoded,
    };
  }

  /** Percentiles and milliseconds, denser towards 100 %, up to the last percentile that a record of its own stands for. */
  #curve(): [number, number][] {
    const points: [number, number][] = [];
    const least = Math.max(lastOfCurve, 1 / this.count);
    for (let left = 1; left >= least; left *= curveStep)
      points.push([100 * (1 - left), this.quantileUs(1 - left) / 1_000]);
    points.push([100, this.maxUs / 1_000]);
    return points;
  }
}
