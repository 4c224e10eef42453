/** A time in µs as three or four digits. */
export function us(value: number): string {
  return value < 100 ? value.toFixed(2) : value.toFixed(0);
}

/** The bytes of all messages together. */
export function bytesOf(messages: readonly Uint8Array[]): number {
  return messages.reduce((sum, { length }) => sum + length, 0);
}
