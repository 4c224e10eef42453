import type UPlot from 'uplot';
import { element, setText } from '../../../server/admin/page/element.ts';
import { uPlot } from '../../../server/admin/page/uplot.ts';
import type { LineChart } from '../report-page.ts';
import { unitText } from '../unit-text.ts';
import { placeText } from './axis.ts';
import { onColours } from './colours.ts';
import { pointByKeys, pointByTouch } from './pointing.ts';
import { heightPx, plotOptions } from './plot-options.ts';
import { valuesOf } from './values.ts';

/** Lines over time, load or percentiles. Above the drawing stands what each line has where it is pointed at, or else its highest value. */
export function drawLineChart(chart: LineChart, place: HTMLElement): void {
  const data = columnsOf(chart);
  const keys = chart.lines.map((_, index) => element('span', { class: `key line-${(index % 6) + 1}` }));
  const values = chart.lines.map(() => element('strong'));
  const note = element('span', { class: 'note' });
  const drawing = element('div', {
    ...{ class: 'drawing', tabindex: '0', role: 'group', 'aria-roledescription': 'chart' },
    'aria-label': `${chart.title}: ${chart.summary}. Arrow keys move through it.`,
  });
  const spoken = element('span', { class: 'spoken', role: 'status' });
  const buttons = chart.lines.map(({ label }, index) => {
    const pressed = { type: 'button', 'aria-pressed': 'true', title: 'show or hide this line' };
    return element('button', pressed, keys[index]!, element('span', {}, label), values[index]!);
  });
  place.append(
    element(
      'article',
      { class: chart.wide ? 'card chart wide' : 'card chart' },
      element('header', {}, element('h3', {}, chart.title), note),
      element('div', { class: 'legend' }, ...buttons),
      drawing,
      spoken,
      ...(chart.note === undefined ? [] : [element('p', { class: 'about' }, chart.note)]),
      valuesOf(chart, data),
    ),
  );

  const show = (plot: UPlot): void => {
    const pointed = plot.cursor.idx;
    for (const [index, value] of values.entries()) {
      const column = plot.data[index + 1]!;
      const shown = typeof pointed === 'number' ? column[pointed] : highest(column);
      setText(value, typeof shown === 'number' ? unitText(chart.unit, shown) : '–');
    }
    const remark = typeof pointed === 'number' ? placeText(chart.x, plot.data[0][pointed]!) : 'highest';
    setText(note, chart.logarithmic ? `${remark} · log scale` : remark);
  };
  const width = Math.max(200, Math.floor(drawing.clientWidth));
  const plot = new uPlot(plotOptions(chart, { width, keys, note, show }), data, drawing);
  show(plot);
  for (const [index, button] of buttons.entries())
    button.addEventListener('click', () => {
      const isShown = button.getAttribute('aria-pressed') === 'true';
      button.setAttribute('aria-pressed', String(!isShown));
      plot.setSeries(index + 1, { show: !isShown });
    });
  pointByTouch(plot);
  pointByKeys(plot, drawing, () => {
    const told = chart.lines.map(({ label }, index) => `${label} ${values[index]!.textContent}`);
    setText(spoken, `${note.textContent}: ${told.join(', ')}`);
  });
  onColours(() => plot.redraw());
  new ResizeObserver(() => {
    const wide = Math.floor(drawing.clientWidth);
    if (wide > 0 && wide !== plot.width) plot.setSize({ width: wide, height: heightPx });
  }).observe(drawing);
}

/** All lines over the same places; what has no value there is passed over. */
function columnsOf({ xs, lines }: LineChart): UPlot.AlignedData {
  return uPlot.join(lines.map((line) => [[...(line.xs ?? xs)], [...line.ys]]));
}

function highest(column: ArrayLike<number | null | undefined>): number | null {
  let most: number | null = null;
  for (const value of Array.from(column))
    if (typeof value === 'number' && (most === null || value > most)) most = value;
  return most;
}
