import { codecsChart, limitsChart, steadyCharts } from './charts.ts';
import type { History } from './history.ts';
import { TimeChart } from './time-chart.ts';
import { VaryingChart } from './varying-chart.ts';

/** What is read here of GET /api/limits. */
export interface ScopedLimits {
  readonly limits: readonly { readonly config: { readonly scope: string } }[];
}

/** All charts of the gateway. */
export class ChartGrid {
  readonly #history: History;
  readonly #steady = steadyCharts.map((options) => new TimeChart(options));
  readonly #limits = new VaryingChart({
    chart: limitsChart,
    emptyText: 'No limits configured: nothing is refused.',
  });
  readonly #codecs = new VaryingChart({
    chart: codecsChart,
    emptyText: 'No codec in use in these five minutes.',
  });
  #scopes: readonly string[] | undefined;

  constructor(place: HTMLElement, history: History) {
    this.#history = history;
    place.append(...this.#steady.map(({ element }) => element), this.#limits.element, this.#codecs.element);
  }

  /** Which limits there are. */
  useLimits({ limits }: ScopedLimits): void {
    this.#scopes = [...new Set(limits.map(({ config }) => config.scope))];
    this.#limits.show(this.#scopes, this.#history);
  }

  show(): void {
    for (const chart of this.#steady) chart.show(this.#history);
    if (this.#scopes !== undefined) this.#limits.show(this.#scopes, this.#history);
    this.#codecs.show(codecsInUse(this.#history), this.#history);
  }

  redraw(): void {
    for (const chart of [...this.#steady, this.#limits, this.#codecs]) chart.redraw();
  }
}

function codecsInUse({ seconds }: History): readonly string[] {
  const used = seconds.flatMap((second) =>
    Object.entries(second?.codecs ?? {}).flatMap(([name, { plainBytes }]) => (plainBytes > 0 ? [name] : [])),
  );
  return [...new Set(used)].sort();
}
