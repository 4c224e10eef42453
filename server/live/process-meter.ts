import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { HistogramWindow } from '../../metrics/histogram-window.ts';
import type { ProcessSample } from './live-sample.ts';

export interface ProcessMeterOptions {
  /** How late the event loop was. */
  readonly eventLoopLag: HistogramWindow;
  readonly memoryLimitBytes: () => number;
}

/** What the process uses, from one call of `read` to the next. */
export class ProcessMeter {
  readonly #options: ProcessMeterOptions;
  #cpu = process.cpuUsage();
  #loop = performance.eventLoopUtilization();

  constructor(options: ProcessMeterOptions) {
    this.#options = options;
  }

  /** Of the last `spanMs`, which is the time since the last call. */
  read(spanMs: number): ProcessSample {
    const { eventLoopLag, memoryLimitBytes } = this.#options;
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpu = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(loop, this.#loop);
    this.#loop = loop;
    const { rss, heapUsed, heapTotal } = process.memoryUsage();
    eventLoopLag.advance();
    const { view } = eventLoopLag;
    return {
      cpuCores: spanMs > 0 ? (user + system) / 1_000 / spanMs : 0,
      rssBytes: rss,
      heapUsedBytes: heapUsed,
      heapTotalBytes: heapTotal,
      heapLimitBytes: getHeapStatistics().heap_size_limit,
      memoryLimitBytes: memoryLimitBytes(),
      eventLoopLagMs: view.count > 0 ? view.quantile(1) * 1_000 : 0,
      eventLoopUtilization: utilization,
    };
  }
}
