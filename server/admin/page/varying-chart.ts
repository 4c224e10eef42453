import { element } from './element.ts';
import type { History } from './history.ts';
import { TimeChart, type TimeChartOptions } from './time-chart.ts';

export interface VaryingChartOptions {
  /** A line for each of these names. */
  readonly chart: (names: readonly string[]) => TimeChartOptions;
  /** What is said where there is nothing to draw. */
  readonly emptyText: string;
}

/** A chart that is made anew whenever its lines are others, and says so when it has none. */
export class VaryingChart {
  readonly element = element('div', { class: 'place' });
  readonly #options: VaryingChartOptions;
  #chart: TimeChart | undefined;
  #names: string | undefined;

  constructor(options: VaryingChartOptions) {
    this.#options = options;
  }

  show(names: readonly string[], history: History): void {
    const key = names.join();
    if (key !== this.#names) this.#replace(names);
    this.#names = key;
    this.#chart?.show(history);
  }

  redraw(): void {
    this.#chart?.redraw();
  }

  #replace(names: readonly string[]): void {
    const { chart, emptyText } = this.#options;
    this.#chart?.destroy();
    this.#chart = undefined;
    const options = chart(names);
    if (names.length > 0) this.#chart = new TimeChart(options);
    const card =
      this.#chart?.element ??
      element(
        'article',
        { class: 'card chart' },
        element('header', {}, element('h3', {}, options.title)),
        element('p', { class: 'empty' }, emptyText),
      );
    this.element.replaceChildren(card);
  }
}
