import { isEscaped } from './ids.ts';

/**
 * The method that a scan found, as a string. Escapes are decoded, so that `tools\/call` (as PHP writes it) and `\u0074ools/call`
 * are the same method to a limit or an allow list as they are to the upstream.
 */
export function methodName(buf: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString();
  return isEscaped(buf, start, end) ? (JSON.parse(`"${text}"`) as string) : text;
}
