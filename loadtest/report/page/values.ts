import type UPlot from 'uplot';
import { element } from '../../../server/admin/page/element.ts';
import type { LineChart } from '../report-page.ts';
import { unitText } from '../unit-text.ts';
import { placeText } from './axis.ts';
import { tableBox } from './table.ts';

const firstColumns = {
  seconds: 'Time',
  nines: 'Percentile',
  'per second': 'Rate',
  connections: 'Connections',
};

/** What a chart draws as a table, made when it is first asked for. */
export function valuesOf(chart: LineChart, [xs, ...columns]: UPlot.AlignedData): HTMLElement {
  const details = element('details', {}, element('summary', {}, 'Values'));
  details.addEventListener('toggle', () => {
    if (details.childElementCount > 1) return;
    const rows = Array.from(xs, (x, row) => [
      placeText(chart.x, x),
      ...columns.map((column) => {
        const value = column[row];
        return typeof value === 'number' ? unitText(chart.unit, value) : '–';
      }),
    ]);
    const head = [firstColumns[chart.x], ...chart.lines.map(({ label }) => label)];
    const numbers = head.map((_, index) => index).slice(1);
    details.append(tableBox({ kind: 'table', title: `${chart.title}: values`, head, rows, numbers }));
  });
  return details;
}
