import type UPlot from 'uplot';
import type { LiveHistorySample } from '../../live/live-sample.ts';
import { dashes } from './dashes.ts';
import { element, setText } from './element.ts';
import { clockText, minuteText } from './format.ts';
import { keptSamples, type History } from './history.ts';
import { faint, inkOf } from './ink.ts';
import { lonelyValues } from './lonely-values.ts';
import { uPlot } from './uplot.ts';

/** A line of a chart, and the figure above it. */
export interface Line {
  readonly label: string;
  /** Null where there is no value, which leaves a gap. */
  readonly of: (sample: LiveHistorySample) => number | null;
}

/** A figure without a line, for what has another unit. */
export interface Aside {
  readonly label: string;
  readonly text: (sample: LiveHistorySample) => string;
}

export interface TimeChartOptions {
  readonly title: string;
  readonly lines: readonly Line[];
  /** A value as people read it, with its unit. */
  readonly text: (value: number | null) => string;
  /** The same beside the scale, where there is less room. */
  readonly scaleText?: (value: number) => string;
  readonly asides?: readonly Aside[];
  /** What is said in the corner. */
  readonly note?: (sample: LiveHistorySample) => string;
  /** The top of the scale; by default that of the data. */
  readonly max?: number;
  /** The least that the top of the scale is. */
  readonly minMax?: number;
}

const heightPx = 132;
const axisWidthPx = 48;
const font = '11px system-ui, sans-serif';
const minutes = [60, 120, 300];

/** The last five minutes of some figures, and what they are now or were under the pointer. Its figure is readable without the drawing. */
export class TimeChart {
  readonly element: HTMLElement;
  readonly #options: TimeChartOptions;
  readonly #plot: UPlot;
  readonly #values: readonly HTMLElement[];
  readonly #asides: readonly HTMLElement[];
  readonly #note = element('span', { class: 'note' });
  readonly #resizing: ResizeObserver;
  #history: History | undefined;

  constructor(options: TimeChartOptions) {
    this.#options = options;
    const { title, lines, asides = [] } = options;
    this.#values = lines.map(() => element('dd'));
    this.#asides = asides.map(() => element('dd'));
    const keys = lines.map((_, index) => element('span', { class: `key line-${index + 1}` }));
    const drawing = element('div', { class: 'drawing', 'aria-hidden': 'true' });
    const figures = element(
      'dl',
      { class: lines.length + asides.length > 3 ? 'figures many' : 'figures' },
      ...lines.map(({ label }, index) =>
        element('div', {}, element('dt', {}, keys[index]!, label), this.#values[index]!),
      ),
      ...asides.map(({ label }, index) => element('div', {}, element('dt', {}, label), this.#asides[index]!)),
    );
    const heading = element('h3', {}, title);
    this.element = element(
      'article',
      { class: 'card chart' },
      element('header', {}, heading, this.#note),
      figures,
      drawing,
    );
    this.#plot = new uPlot(this.#plotOptions(keys), [[], ...lines.map(() => [])], drawing);
    this.#resizing = new ResizeObserver(() => this.#fit(drawing));
    this.#resizing.observe(drawing);
  }

  show(history: History): void {
    this.#history = history;
    const { lines } = this.#options;
    const columns = lines.map(({ of }) =>
      history.seconds.map((second) => (second === null ? null : of(second))),
    );
    this.#plot.setData([history.times as number[], ...columns]);
    this.#showFigures();
  }

  /** In the colours that hold now. */
  redraw(): void {
    this.#plot.redraw();
  }

  destroy(): void {
    this.#resizing.disconnect();
    this.#plot.destroy();
    this.element.remove();
  }

  #showFigures(): void {
    const { lines, asides = [], note = () => '', text } = this.#options;
    const pointedAt = this.#plot.cursor.idx ?? undefined;
    const second = pointedAt === undefined ? this.#history?.latest : this.#history?.seconds[pointedAt];
    for (const [index, { of }] of lines.entries())
      setText(this.#values[index]!, text(second ? of(second) : null));
    for (const [index, aside] of asides.entries()) {
      setText(this.#asides[index]!, second ? aside.text(second) : text(null));
    }
    const remark = pointedAt === undefined ? note : ({ at }: LiveHistorySample) => `at ${clockText(at)}`;
    setText(this.#note, second ? remark(second) : '');
  }

  #fit(drawing: HTMLElement): void {
    const width = Math.floor(drawing.clientWidth);
    if (width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: heightPx });
  }

  #plotOptions(keys: readonly HTMLElement[]): UPlot.Options {
    const { lines, text, scaleText = text, max, minMax = 1 } = this.#options;
    const ink = (): string => inkOf(this.#note);
    const axis = { stroke: ink, font, ticks: { show: false } };
    return {
      width: 300,
      height: heightPx,
      padding: [8, 4, 0, 0],
      legend: { show: false },
      cursor: { sync: { key: 'live' }, y: false, drag: { setScale: false, x: false, y: false } },
      scales: {
        x: { time: true, range: (_, __, to) => (to > 0 ? [to - keptSamples + 1, to] : [0, keptSamples]) },
        y: { range: (_, __, top) => [0, max ?? Math.max(minMax, (top || 0) * 1.1)] },
      },
      axes: [
        {
          ...axis,
          grid: { show: false },
          size: 24,
          incrs: minutes,
          space: 60,
          values: (_, at) => at.map(minuteText),
        },
        {
          ...axis,
          grid: { stroke: () => faint(ink(), 0.18), width: 1 },
          size: axisWidthPx,
          gap: 6,
          space: 34,
          values: (_, values) => values.map((value) => scaleText(value)),
        },
      ],
      series: [
        {},
        ...lines.map((_, index) => ({
          stroke: () => inkOf(keys[index]!),
          width: 1.75,
          dash: dashes[index % dashes.length]!,
          // A line shows no value that stands alone.
          points: {
            show: true,
            size: 3,
            filter: (plot: UPlot, line: number) => lonelyValues(plot.data[line]!),
          },
          ...(index === 0 && { fill: () => faint(inkOf(keys[0]!), 0.12) }),
        })),
      ],
      hooks: { setCursor: [() => this.#showFigures()] },
    };
  }
}
