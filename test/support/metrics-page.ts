/** One scrape of `/metrics`: Prometheus text format 0.0.4. */
export class MetricsPage {
  readonly #samples: readonly Sample[];
  readonly text: string;

  constructor(text: string) {
    this.text = text;
    this.#samples = text.split('\n').flatMap(parseSample);
  }

  /** The sum of every series of `name` that carries all of `labels`; `undefined` when there is none. */
  find(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.#samples.filter((sample) => sample.name === name && carries(sample.labels, labels));
    return found.length === 0 ? undefined : found.reduce((sum, sample) => sum + sample.value, 0);
  }

  /** As `find`, with 0 for a series that was never published. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number {
    return this.find(name, labels) ?? 0;
  }

  /** The type that the page declares for `name`. */
  typeOf(name: string): string | undefined {
    return new RegExp(`^# TYPE ${name} (\\w+)$`, 'm').exec(this.text)?.[1];
  }

  /** Every distinct value of `label` among the series of `name`. */
  labelValues(name: string, label: string): string[] {
    const values = this.#samples
      .filter((sample) => sample.name === name)
      .map((sample) => sample.labels[label]);
    return [...new Set(values)].filter((value) => value !== undefined);
  }
}

interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

function parseSample(line: string): Sample[] {
  const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
  if (match === null) return [];
  const pairs = (match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g);
  const labels = Object.fromEntries([...pairs].map((pair) => [pair[1] ?? '', pair[2] ?? '']));
  return [{ name: match[1] ?? '', labels, value: Number(match[3]) }];
}

function carries(
  labels: Readonly<Record<string, string>>,
  wanted: Readonly<Record<string, string>>,
): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}
