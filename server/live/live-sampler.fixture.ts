import { GatewayMetrics } from '../../metrics/gateway-metrics.ts';
import { errorTypes, rejectReasons } from '../close-codes.ts';
import { LiveSampler, type LiveSamplerOptions } from './live-sampler.ts';
import type { ProcessSample } from './live-sample.ts';

/** What a process might use. */
export const aProcess: ProcessSample = {
  cpuCores: 0.5,
  rssBytes: 100e6,
  heapUsedBytes: 20e6,
  heapTotalBytes: 40e6,
  heapLimitBytes: 2e9,
  memoryLimitBytes: 4e9,
  eventLoopLagMs: 1.5,
  eventLoopUtilization: 0.25,
};

/** A sampler of a gateway that only counts, whose seconds pass when a test says so. */
export class SampledWorld {
  nowMs = 5_000;
  readonly metrics = new GatewayMetrics({ errorTypes, rejectReasons });
  readonly sampler: LiveSampler;

  constructor(changes: Partial<LiveSamplerOptions> = {}) {
    this.sampler = new LiveSampler({
      metrics: this.metrics,
      maxConnections: 16_000,
      codecs: () => [],
      limits: () => ({ decisions: [] }),
      pools: () => [],
      process: () => aProcess,
      draining: () => false,
      now: () => this.nowMs,
      wallClockMs: () => 1_700_000_000_000 + this.nowMs,
      onError: (error) => {
        throw error;
      },
      ...changes,
    });
  }

  /** Lets a second pass, or another time, and samples. */
  pass(ms = 1_000): void {
    this.nowMs += ms;
    this.sampler.sample();
  }
}
