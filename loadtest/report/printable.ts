/** Text of a file or a server for a terminal: without what moves its cursor or changes its colours. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, '\uFFFD');
}
