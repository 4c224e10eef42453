/** One reading of a gateway's `/metrics`. */
export class MetricsView {
  readonly #values = new Map<string, number>();
  readonly #gauges = new Set<string>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const [, gauge] = /^# TYPE (\S+) gauge$/.exec(line) ?? [];
      if (gauge !== undefined) this.#gauges.add(gauge);
      const [, series, value] = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)/.exec(line) ?? [];
      if (series !== undefined) this.#values.set(series, Number(value));
    }
  }

  /** The sum of all series of `name` that have all of `labels`, 0 when there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    let sum = 0;
    for (const [series, value] of this.#values)
      if (nameOf(series) === name && wanted.every((pair) => series.includes(pair))) sum += value;
    return sum;
  }

  /** Every gauge of the gateway's own, those of its process and its limits excepted: series and value. */
  gauges(): ReadonlyMap<string, number> {
    const own = (series: string): boolean =>
      this.#gauges.has(nameOf(series)) &&
      /^(websocket|wsluice)_/.test(series) &&
      !/_bytes\b|_info\b/.test(series);
    return new Map([...this.#values].filter(([series]) => own(series)));
  }
}

/** Reads the metrics of the gateway whose admin listener is on `adminPort` of this machine. */
export async function readMetrics(adminPort: number): Promise<MetricsView> {
  const response = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
  if (!response.ok) throw new Error(`the gateway's /metrics answered ${response.status}`);
  return new MetricsView(await response.text());
}

function nameOf(series: string): string {
  const brace = series.indexOf('{');
  return brace < 0 ? series : series.slice(0, brace);
}
