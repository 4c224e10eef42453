import type { CodecTotals } from '../../metrics/codec-families.ts';
import type { GatewayMetrics } from '../../metrics/gateway-metrics.ts';
import { HistogramWindow } from '../../metrics/histogram-window.ts';
import type { RateLimitFigures } from '../../metrics/ratelimit-families.ts';
import type { PoolReport } from '../admin/pools-control.ts';
import { GatewayHealth } from '../health/gateway-health.ts';
import { packageVersion } from '../package-version.ts';
import { memoryLimitBytes } from '../process-figures.ts';
import { LiveSampler } from './live-sampler.ts';
import { ProcessMeter } from './process-meter.ts';

export interface ObservationOptions {
  readonly metrics: GatewayMetrics;
  readonly maxConnections: number;
  readonly codecs: () => Iterable<readonly [name: string, totals: CodecTotals]>;
  readonly limits: () => RateLimitFigures;
  readonly pools: () => readonly PoolReport[];
  readonly draining: () => boolean;
  readonly onError: (error: unknown) => void;
}

/** Begins to look at a gateway once a second: what it does, and how it is. Ends with `live.stop()`. */
export function observe(options: ObservationOptions): { live: LiveSampler; health: GatewayHealth } {
  const { metrics, limits } = options;
  const meter = new ProcessMeter({
    eventLoopLag: new HistogramWindow(metrics.eventLoopLag),
    memoryLimitBytes,
  });
  const clocks = { now: () => performance.now(), wallClockMs: Date.now };
  const health = new GatewayHealth(
    {
      ...options,
      ...clocks,
      version: packageVersion,
      connections: () => metrics.connectionsOpen,
      redisUp: () => limits().sharedUp,
    },
    meter.read(0),
  );
  const live = new LiveSampler({
    ...options,
    ...clocks,
    process: (spanMs) => meter.read(spanMs),
    onSample: (second) => health.see(second),
  });
  live.start();
  return { live, health };
}
