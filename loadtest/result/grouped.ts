/** Returns a number as people read it: 10,000. */
export function grouped(value: number, digits = 0): string {
  return value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });
}

/** Returns milliseconds with as many digits as tell something. */
export function milliseconds(ms: number): string {
  return `${grouped(ms, ms < 10 ? 2 : ms < 100 ? 1 : 0)} ms`;
}

/** Returns a number with what is counted, which takes an s. */
export function counted(count: number, what: string): string {
  return `${grouped(count)} ${what}${count === 1 ? '' : 's'}`;
}

/** Returns a number of bytes as people read it. */
export function byteText(bytes: number): string {
  return bytes < 1e6 ? `${grouped(bytes / 1e3, 1)} KB` : `${grouped(bytes / 1e6, bytes < 1e8 ? 1 : 0)} MB`;
}
