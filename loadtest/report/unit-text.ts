import { bytesText, countText, rateText } from '../../server/admin/page/format.ts';
import type { Unit } from './report-page.ts';

const texts: Readonly<Record<Unit, (value: number) => string>> = {
  ms: msText,
  'per second': (value) => (value < 9.95 && !Number.isInteger(value) ? value.toFixed(1) : countText(value)),
  bytes: (value) => bytesText(value),
  cores: (value) => value.toFixed(2),
  count: countText,
};

/** A value as people read it. Milliseconds and bytes carry their unit; of the others it is said beside them. */
export function unitText(unit: Unit, value: number): string {
  return texts[unit](value);
}

/** The same beside a scale, where there is less room. */
export function scaleText(unit: Unit, value: number): string {
  if (unit === 'ms') return value >= 10_000 ? msText(value) : `${shortest(value)} ms`;
  if (unit === 'cores') return shortest(value);
  return unit === 'bytes' ? bytesText(value) : rateText(value);
}

/** `0.042 ms`, `4.21 ms`, `42.1 ms`, `1,234 ms`, `12.3 s`: one unit for most of a column, and three digits that count. */
export function msText(ms: number): string {
  if (ms >= 9_999.5) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms >= 99.95) return `${countText(ms)} ms`;
  const digits = ms >= 9.995 ? 1 : ms >= 0.9995 ? 2 : 3;
  return `${ms.toFixed(digits)} ms`;
}

/** `4.2 µs`, `76 ns`, `1.20 ms`. */
export function nsText(ns: number): string {
  if (ns >= 999_500) return `${(ns / 1e6).toFixed(2)} ms`;
  if (ns >= 999.5) return `${(ns / 1_000).toFixed(ns < 99_950 ? 1 : 0)} µs`;
  return `${ns < 9.95 ? ns.toFixed(1) : countText(ns)} ns`;
}

/** A share of 1: `0 %`, `0.002 %`, `1.3 %`, `63 %`; what is not quite all or nothing never looks as if it were. */
export function shareText(share: number): string {
  const percent = share * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent < 0.001) return '< 0.001 %';
  if (percent > 99.99) return '> 99.99 %';
  if (percent < 0.1) return `${percent.toFixed(3)} %`;
  return `${percent.toFixed(percent < 10 || percent > 99 ? 2 : 1)} %`;
}

/** `99.9 %` of the key "99.9", `slowest` of "100". */
export function percentileText(percentile: string): string {
  return percentile === '100' ? 'slowest' : `${percentile} %`;
}

/** How long a run was: `9.8 s`, `2 min 5 s`, `1 h 0 min`. */
export function secondsText(seconds: number): string {
  if (seconds < 59.95) return `${seconds < 9.95 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3_600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3_600)} h ${Math.floor((whole % 3_600) / 60)} min`;
}

function shortest(value: number): string {
  return value >= 999.5 ? countText(value) : String(Number(value.toPrecision(3)));
}
