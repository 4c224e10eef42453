import type UPlot from 'uplot';
import { dashes } from '../../../server/admin/page/dashes.ts';
import { faint, inkOf } from '../../../server/admin/page/ink.ts';
import { lonelyValues } from '../../../server/admin/page/lonely-values.ts';
import type { LineChart } from '../report-page.ts';
import { scaleText } from '../unit-text.ts';
import { axisText, ninesMarks } from './axis.ts';

export const heightPx = 220;
const font = '11px system-ui, sans-serif';
const axisWidthPx = 58;
/** Between the marks of the lower axis, so that their texts do not touch. */
const markSpacePx = 54;
const characterPx = 6.5;
// oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- of a const enum nothing is left without types
const logarithmic: UPlot.Scale.Distr = 3;
const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400];

export interface Surroundings {
  readonly width: number;
  /** Whose colours are those of the lines. */
  readonly keys: readonly HTMLElement[];
  /** Whose colour is that of texts. */
  readonly note: HTMLElement;
  readonly show: (plot: UPlot) => void;
}

/** How uPlot is to draw a chart. */
export function plotOptions(chart: LineChart, { width, keys, note, show }: Surroundings): UPlot.Options {
  const ink = (): string => inkOf(note);
  const axis = { stroke: ink, font, ticks: { show: false } };
  const grid = { stroke: () => faint(ink(), 0.18), width: 1 };
  return {
    width,
    height: heightPx,
    padding: [10, 24, 0, 0],
    legend: { show: false },
    cursor: {
      ...(chart.x === 'seconds' && { sync: { key: 'seconds', scales: ['x', null] } }),
      ...{ y: false, drag: { setScale: false, x: false, y: false } },
    },
    scales: {
      x: { time: false, range: (_, from, to) => rangeOf(chart, from, to) },
      y: chart.logarithmic
        ? { distr: logarithmic, range: (_, from, to) => logRange(from || 0.001, to || 1) }
        : { range: (_, __, top) => [0, (top || 0) * 1.08 || 1] },
    },
    axes: [{ ...axis, grid: { show: false }, size: 26, space: markSpacePx, ...lowerAxis(chart) }, leftAxis()],
    series: [
      {},
      ...keys.map((key, index) => ({
        stroke: () => inkOf(key),
        width: 1.75,
        dash: dashes[index % dashes.length]!,
        points: {
          show: true,
          size: chart.marked ? 7 : 3,
          // A line shows no value that stands alone.
          ...(!chart.marked && {
            filter: (plot: UPlot, line: number) => lonelyValues(plot.data[line]!),
          }),
        },
        ...(keys.length === 1 && { fill: () => faint(inkOf(key), 0.12) }),
      })),
    ],
    hooks: { setCursor: [show] },
  };

  function leftAxis(): UPlot.Axis {
    const values = (_: UPlot, marks: number[]): string[] =>
      marks.map((mark) => ((mark as number | null) === null ? '' : scaleText(chart.unit, mark)));
    const lines = { ...grid, ...(chart.logarithmic && { filter: powersOfTen }) };
    return { ...axis, grid: lines, size: axisWidthPx, gap: 6, space: 34, values };
  }
}

function rangeOf({ x }: LineChart, from: number, to: number): [number, number] {
  if (x === 'nines' || x === 'seconds') return [0, to || 1];
  const margin = (to - from) * 0.04 || Math.abs(to) * 0.1 || 1;
  return [Math.max(0, from - margin), to + margin];
}

/** To the next value with one digit that counts, so that the marks have one too. */
function logRange(from: number, to: number): [number, number] {
  const step = (value: number): number => 10 ** Math.floor(Math.log10(value));
  const round = (value: number): number => Number(value.toPrecision(6));
  const bottom = Math.floor(round(from / step(from))) * step(from);
  const top = Math.ceil(round(to / step(to))) * step(to);
  return [round(bottom), round(top > bottom ? top : bottom * 10)];
}

function powersOfTen(_: UPlot, marks: number[]): (number | null)[] {
  return marks.map((mark) => (Number.isInteger(Number(Math.log10(mark).toFixed(6))) ? mark : null));
}

function lowerAxis({ x }: LineChart): UPlot.Axis {
  const values = (_: UPlot, marks: number[]): string[] => marks.map((mark) => axisText(x, mark));
  if (x === 'seconds') return { incrs: steps, values };
  if (x !== 'nines') return { values };
  return {
    values: (plot, marks) => withRoom(marks.map((mark) => [axisText(x, mark), plot.valToPos(mark, 'x')])),
    splits: (plot) => ninesMarks(plot.scales['x']!.max!),
  };
}

/** Leaves out each text that would touch the one before it. */
function withRoom(texts: readonly (readonly [string, number])[]): string[] {
  let free = -Infinity;
  return texts.map(([text, middle]) => {
    const half = (text.length * characterPx) / 2;
    if (middle - half < free) return '';
    free = middle + half + characterPx;
    return text;
  });
}
