import { collectDefaultMetrics, Registry } from 'prom-client';
import { registerClientFamilies } from './client-families.ts';
import { registerCodecFamilies, type CodecTotals } from './codec-families.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';
import { registerPoolFamilies } from './pool-families.ts';
import { registerProcessFamilies, type ProcessFigures } from './process-families.ts';
import type { PoolSnapshot } from './pool-snapshot.ts';
import { registerRateLimitFamilies, type RateLimitFigures } from './ratelimit-families.ts';

/** What a registry publishes, and how. */
export interface RegistryOptions {
  readonly metrics: GatewayMetrics;
  readonly pools: () => readonly PoolSnapshot[];
  /** What went through each codec, by its name. */
  readonly codecs: () => Iterable<readonly [name: string, totals: CodecTotals]>;
  /** What the rate limits decided, and the keys they keep. */
  readonly limits: () => RateLimitFigures;
  readonly process: () => ProcessFigures;
  /** Whether the process's own metrics (CPU, memory, garbage collection) come along; default true. */
  readonly processMetrics?: boolean;
  /** Default 'text'. Writing OpenMetrics renames counters for good, so a registry keeps the format it starts with. */
  readonly format?: 'text' | 'openmetrics';
}

/** Gauges named like counters, which build a list of every handle to count it; the same figures by type remain. */
const unwanted = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** A registry that reads the typed arrays and the pools when it is scraped, and costs nothing in between. */
export function createRegistry(options: RegistryOptions): Registry {
  const { metrics, pools, codecs, limits, process, processMetrics = true, format = 'text' } = options;
  const registry = new Registry();
  // The typings tie the content type to the class, although any registry takes either.
  if (format === 'openmetrics') registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
  registerClientFamilies(registry, metrics);
  registerPoolFamilies(registry, pools);
  registerCodecFamilies(registry, codecs);
  registerRateLimitFamilies(registry, limits);
  registerProcessFamilies(registry, process);
  if (!processMetrics) return registry;
  collectDefaultMetrics({ register: registry });
  for (const name of unwanted) registry.removeSingleMetric(name);
  return registry;
}
