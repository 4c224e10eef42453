import { Histogram, type HistogramView } from './histogram.ts';

/** What a histogram observed between two looks at it, for percentiles of the last second beside those since the start. */
export class HistogramWindow {
  /** Empty until the first `advance`. */
  readonly view: HistogramView;
  readonly #histogram: Histogram;
  /** The histogram as it was at the last look, and what came since the one before. */
  readonly #before = new Float64Array(Histogram.cellCount);
  readonly #since = new Float64Array(Histogram.cellCount);

  /** Begins now: what was observed before is in no window. */
  constructor(histogram: Histogram) {
    this.#histogram = histogram;
    this.view = new Histogram({ memory: { buffer: this.#since.buffer, byteOffset: 0 } });
    histogram.copyTo(this.#before);
  }

  /** `view` is from now on what was observed since the last call; allocates nothing. */
  advance(): void {
    const since = this.#since;
    const before = this.#before;
    this.#histogram.copyTo(since);
    for (let cell = 0; cell < since.length; cell++) {
      const now = since[cell]!;
      since[cell]! -= before[cell]!;
      before[cell] = now;
    }
  }
}
