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

  /** Every series there is, name and labels without its value, sorted. */
  series(): string[] {
    const samples = this.text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    return samples.map((line) => line.slice(0, line.lastIndexOf(' '))).sort();
  }

  /** The type of every metric that the page declares. */
  types(): ReadonlyMap<string, string> {
    return new Map(
      Array.from(this.text.matchAll(/^# TYPE (\S+) (\w+)$/gm), ([, name, type]) => [name!, type!]),
    );
  }

  /** The names of all labels that the series of a metric carry, those of its buckets too, but for `le`. */
  labelsOf(name: string): string[] {
    const isOf = new RegExp(`^${name}(_bucket|_sum|_count)?$`);
    const labels = this.#samples
      .filter((one) => isOf.test(one.name))
      .flatMap((one) => Object.keys(one.labels));
    return [...new Set(labels)].filter((label) => label !== 'le').sort();
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
