import { isEscaped } from './ids.ts';

/**
 * The method that a scan found, as a string. Escapes are decoded, so that `tools\/call` (as PHP writes it) and `\u0074ools/call`
 * are the same method to a limit or an allow list as they are to the upstream.
 */
export function methodName(buf: Uint8Array, start: number, end: number): string {
  const text = Buffer.from(buf.buffer, buf.byteOffset + start, end - start).toString();
  return isEscaped(buf, start, end) ? (JSON.parse(`"${text}"`) as string) : text;
}

/** Longer ones are not shown in logs. */
export const maxShownBytes = 64;
const shown = /^[\w.:/$#@~+-]+$/;

/** A method for the log: '' for one that is long, or has anything in it but letters, digits and a few signs, for clients choose it. */
export function shownMethod(buf: Uint8Array, start: number, end: number): string {
  if (start < 0 || end - start > maxShownBytes) return '';
  const name = methodName(buf, start, end);
  return shown.test(name) ? name : '';
}
