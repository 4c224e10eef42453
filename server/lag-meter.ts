import type { Histogram } from '../metrics/histogram.ts';

const intervalMs = 100;

/** Measures how late the event loop runs what is due, ten times a second. */
export class LagMeter {
  readonly #timer: NodeJS.Timeout;

  constructor(histogram: Histogram) {
    let dueMs = performance.now() + intervalMs;
    this.#timer = setInterval(() => {
      const nowMs = performance.now();
      histogram.observe(Math.max(0, nowMs - dueMs) / 1_000);
      dueMs = nowMs + intervalMs;
    }, intervalMs);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
