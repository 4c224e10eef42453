/** The series of a metric that the dashboard's variables choose; `labels` chooses further. */
export function of(metric: string, labels?: string): string {
  return selector(metric, ['job=~"$job"', 'instance=~"$instance"'], labels);
}

/** As `of`, in the pools chosen. */
export function inPool(metric: string, labels?: string): string {
  return selector(metric, ['job=~"$job"', 'instance=~"$instance"', 'pool=~"$pool"'], labels);
}

function selector(metric: string, chosen: readonly string[], labels?: string): string {
  return `${metric}{${[...chosen, ...(labels === undefined ? [] : [labels])].join(', ')}}`;
}

/** How fast counters grow. */
export function perSecond(series: string): string {
  return `rate(${series}[$__rate_interval])`;
}

/** A quantile of a histogram, over all series that have the same `labels`. */
export function quantile(q: number, buckets: string, labels: readonly string[] = []): string {
  return `histogram_quantile(${q}, sum by (${[...labels, 'le'].join(', ')}) (${perSecond(buckets)}))`;
}
