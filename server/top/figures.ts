const none = '-';

/** A number of things, in at most six columns: 7.5, 123, 9,876, 12.3k, 1.23M. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return none;
  if (value < 10) return String(Math.round(value * 10) / 10);
  if (value < 9_999.5) return Math.round(value).toLocaleString('en-US');
  if (value < 999_500) return `${significant(value / 1e3)}k`;
  if (value < 999.5e6) return `${significant(value / 1e6)}M`;
  return `${significant(value / 1e9)}G`;
}

/** Bytes, in units of 1,024. */
export function bytes(value: number): string {
  if (!Number.isFinite(value)) return none;
  const units = ['B', 'KB', 'MB', 'GB', 'TB'];
  let unit = 0;
  let rest = value;
  while (rest >= 999.5 && unit < units.length - 1) {
    rest /= 1_024;
    unit++;
  }
  return `${unit === 0 ? Math.round(rest) : significant(rest)} ${units[unit]!}`;
}

/** A short time. */
export function milliseconds(value: number): string {
  if (!Number.isFinite(value)) return none;
  return value < 999.5 ? `${significant(value)} ms` : `${significant(value / 1_000)} s`;
}

/** A share of 1. */
export function percent(share: number): string {
  return Number.isFinite(share) ? `${Math.round(share * 100)} %` : none;
}

/** A long time, by its two largest units. */
export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return none;
  const seconds = Math.floor(Math.max(0, ms) / 1_000);
  const [days, hours, minutes] = [seconds / 86_400, (seconds / 3_600) % 24, (seconds / 60) % 60].map(
    Math.floor,
  ) as [number, number, number];
  if (days > 0) return `${days} d ${hours} h`;
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${seconds % 60} s` : `${seconds} s`;
}

/** Three digits that matter, at most. */
function significant(value: number): string {
  if (value === 0) return '0';
  const digits = value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2;
  return value.toFixed(digits);
}
