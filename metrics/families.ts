import { Counter, Gauge } from 'prom-client';
import type { Metric, Registry } from 'prom-client';
import type { HistogramView } from './histogram.ts';

/** Upper bounds, in seconds, of the buckets that every histogram publishes. */
export const publishedBoundsSeconds: readonly number[] = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

type Labels = Readonly<Record<string, string>>;

/** One published figure and the labels it goes under. */
export type Sample<Value = number> = readonly [labels: Labels, value: Value];

/** A metric of a fixed set of labels whose samples are read anew at every scrape. */
export interface Family<Value = number> {
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  readonly read: () => readonly Sample<Value>[];
}

/** Publishes figures that go up and down. */
export function registerGauge(registry: Registry, family: Family): void {
  registerWith(Gauge, registry, family);
}

/** Publishes figures that only grow; their names end in `_total`. */
export function registerCounter(registry: Registry, family: Family): void {
  registerWith(Counter, registry, family);
}

/** Publishes histograms that are kept elsewhere. */
export function registerHistogram(registry: Registry, { name, help, read }: Family<HistogramView>): void {
  const head = { name, help, type: 'histogram', aggregator: 'sum' };
  const metric = {
    ...head,
    get: () => Promise.resolve({ ...head, values: read().flatMap((sample) => histogramLines(name, sample)) }),
    reset: () => undefined,
  };
  // prom-client's own Histogram can only be filled by observing. A registry needs no more of a metric than this,
  // but the type it asks for is the union of its four classes.
  registry.registerMetric(metric as unknown as Metric);
}

function registerWith(Kind: typeof Gauge | typeof Counter, registry: Registry, family: Family): void {
  const metric = new Kind({
    name: family.name,
    help: family.help,
    labelNames: family.labels ?? [],
    registers: [registry],
    collect() {
      metric.reset();
      for (const [labels, value] of family.read()) metric.inc(labels, value);
    },
  });
}

function histogramLines(name: string, [labels, histogram]: Sample<HistogramView>) {
  const cumulative = histogram.cumulative(publishedBoundsSeconds);
  const { count, sum } = histogram;
  const buckets = publishedBoundsSeconds.map((le, index) => ({ le, value: cumulative[index]! }));
  return [
    ...[...buckets, { le: '+Inf', value: count }].map(({ le, value }) => ({
      metricName: `${name}_bucket`,
      labels: { ...labels, le },
      value,
    })),
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ];
}
