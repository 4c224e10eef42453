/** Returns a number as people read it: 10,000. */
export function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** Returns milliseconds with as many digits as tell something. */
export function milliseconds(ms: number): string {
  return `${grouped(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}
