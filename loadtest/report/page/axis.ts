import type { LineChart } from '../report-page.ts';
import { rateText } from '../../../server/admin/page/format.ts';
import { unitText } from '../unit-text.ts';

type Axis = LineChart['x'];

/** Where an axis of nines has its marks: half, and each power of ten of what is left. */
export function ninesMarks(to: number): number[] {
  return [Math.log10(2), ...Array.from({ length: Math.floor(to) }, (_, index) => index + 1)];
}

/** What stands below the axis. */
export function axisText(axis: Axis, value: number): string {
  if (axis === 'seconds') return clockText(value);
  return axis === 'nines' ? percentText(value) : rateText(value);
}

/** Where the pointer is, as a sentence has it. */
export function placeText(axis: Axis, value: number): string {
  if (axis === 'seconds') return `at ${value < 60 ? `${Number(value.toFixed(1))} s` : clockText(value)}`;
  if (axis === 'nines') return `${percentText(value)} %`;
  return axis === 'connections'
    ? `${unitText('count', value)} connections`
    : `${unitText('per second', value)} a second`;
}

/** Seconds since the load began: `0:42`, `12:05`, `1:02:05`. */
function clockText(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (part: number): string => String(part).padStart(2, '0');
  const minutes = Math.floor(whole / 60) % 60;
  const hours = Math.floor(whole / 3_600);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** `50`, `90`, `99`, `99.9`, `99.99`, with as many digits as its nines are worth. */
function percentText(nines: number): string {
  const percent = 100 * (1 - 10 ** -nines);
  return String(Number(percent.toFixed(Math.max(0, Math.ceil(nines) - 1))));
}
