/** A time in µs as three or four digits. */
export function us(value: number): string {
  return value < 100 ? value.toFixed(2) : value.toFixed(0);
}
