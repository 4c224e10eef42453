import type { Request } from '../jsonrpc/request.ts';
import { hasOtherKeys, type Scan } from '../jsonrpc/scan.ts';

/** Longer calls are rarely alike, and each would be kept as a key. */
const maxKeyBytes = 16_384;

/**
 * What makes the request that was just scanned the same as another: the bytes of its method and params. '' when it is not to be
 * compared: it is too long, or has something beside method and params that might make a difference.
 */
export function shareKeyOf({ bytes }: Request, scan: Scan): string {
  const { methodStart, methodEnd, paramsStart, paramsEnd } = scan;
  const length = methodEnd - methodStart + paramsEnd - paramsStart;
  if (length > maxKeyBytes || hasOtherKeys(scan)) return '';
  const text = (start: number, end: number): string =>
    Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  // A control character stands in no JSON string, so it parts the two without doubt.
  const params = paramsStart < 0 ? '' : text(paramsStart, paramsEnd);
  return `${text(methodStart, methodEnd)}\n${params}`;
}
