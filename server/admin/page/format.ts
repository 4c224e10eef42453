const nothing = '–';
const exact = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** A number of things, to the last one: `12,345`. */
export function countText(count: number): string {
  return exact.format(count);
}

/** A number per second: `0.4`, `12`, `1,234`, `56.7 k`, `1.23 M`. */
export function rateText(rate: number | null): string {
  if (rate === null) return nothing;
  if (rate < 10_000) return rate > 0 && rate < 10 ? short(rate, 1) : exact.format(rate);
  return scaled(rate, ['k', 'M', 'G', 'T']);
}

/** Bytes in thousands, as disks and networks count them: `512 B`, `1.5 kB`, `23.4 MB`. */
export function bytesText(bytes: number | null): string {
  if (bytes === null) return nothing;
  return bytes < 1_000 ? `${exact.format(bytes)} B` : scaled(bytes, ['kB', 'MB', 'GB', 'TB', 'PB']);
}

/** Bytes per second. */
export function byteRateText(bytes: number | null): string {
  return bytes === null ? nothing : `${bytesText(bytes)}/s`;
}

/** A short time: `42 µs`, `0.42 ms`, `4.2 ms`, `42 ms`, `1.2 s`. */
export function msText(ms: number | null): string {
  if (ms === null) return nothing;
  if (ms > 0 && ms < 0.000_5) return '< 1 µs';
  if (ms > 0 && ms < 0.0995) return `${short(ms * 1_000, 0)} µs`;
  if (ms >= 999.5) return `${short(ms / 1_000, ms < 9_950 ? 1 : 0)} s`;
  return `${short(ms, ms < 0.995 ? 2 : ms < 9.95 ? 1 : 0)} ms`;
}

/** A share of 1 in percent: `0.4 %`, `63 %`. */
export function percentText(share: number | null): string {
  if (share === null) return nothing;
  const percent = share * 100;
  return `${Math.abs(percent) < 10 ? short(percent, 1) : exact.format(percent)} %`;
}

/** How long something has lasted: `14 s`, `3 min`, `2 h 5 min`, `4 d 3 h`. */
export function durationText(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1_000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 24
    ? pair(hours, 'h', minutes % 60, 'min')
    : pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** The time of day, where the reader is: `14:03:07`. */
export function clockText(at: number): string {
  return clock.format(at);
}

/** The minute of the day of a time in Unix seconds: `14:03`. */
export function minuteText(unixSeconds: number): string {
  return minuteClock.format(unixSeconds * 1_000);
}

/** `1 client`, `2 clients`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const minuteClock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit' });

function scaled(value: number, units: readonly string[]): string {
  let index = -1;
  while (value >= 999.5 && index + 1 < units.length) {
    value /= 1_000;
    index++;
  }
  return `${significant(value)} ${units[index]!}`;
}

/** Three digits that count. */
function significant(value: number): string {
  return short(value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0);
}

function short(value: number, digits: number): string {
  return String(Number(value.toFixed(digits)));
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}
