import type UPlot from 'uplot';
import { element } from './element.ts';
import { faint, inkOf } from './ink.ts';
import { uPlot } from './uplot.ts';

const heightPx = 28;
const keptSamples = 60;

/** A figure in the last minute, as far as the page saw it, drawn small. */
export class SparkLine {
  readonly element = element('div', { class: 'spark', 'aria-hidden': 'true' });
  readonly #plot: UPlot;
  readonly #times: number[] = [];
  readonly #values: number[] = [];
  readonly #resizing: ResizeObserver;
  #top = 1;

  constructor() {
    this.#plot = new uPlot(this.#plotOptions(), [[], []], this.element);
    this.#resizing = new ResizeObserver(() => {
      const width = Math.floor(this.element.clientWidth);
      if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: heightPx });
    });
    this.#resizing.observe(this.element);
  }

  /** `top` is that of the scale. */
  add(at: number, value: number, top: number): void {
    this.#top = top;
    this.#times.push(at / 1_000);
    this.#values.push(value);
    if (this.#times.length > keptSamples) {
      this.#times.shift();
      this.#values.shift();
    }
    this.#plot.setData([this.#times, this.#values]);
  }

  /** The most it has been. */
  get peak(): number {
    return Math.max(0, ...this.#values);
  }

  redraw(): void {
    this.#plot.redraw();
  }

  destroy(): void {
    this.#resizing.disconnect();
    this.#plot.destroy();
  }

  #plotOptions(): UPlot.Options {
    return {
      width: 160,
      height: heightPx,
      padding: [3, 0, 1, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: true, range: (_, __, to) => (to > 0 ? [to - keptSamples + 1, to] : [0, keptSamples]) },
        y: { range: () => [0, Math.max(1, this.#top)] },
      },
      axes: [{ show: false }, { show: false }],
      series: [
        {},
        {
          stroke: () => inkOf(this.element),
          fill: () => faint(inkOf(this.element), 0.15),
          width: 1.5,
          points: { show: false },
        },
      ],
    };
  }
}
