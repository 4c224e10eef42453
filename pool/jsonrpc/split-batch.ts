import { MAX_REQUEST_DEPTH } from './scan.ts';
import { byteAt, CLOSE_BRACKET, COMMA, OPEN_BRACKET, skipSpace, skipValue, TOO_DEEP } from './skip-value.ts';

/** Why a batch cannot be split; `not-json` is answered with -32700, the others with -32600. */
export type BatchFault = 'not-json' | 'empty' | 'too-many' | 'too-deep';

/**
 * Calls `visit` with the byte range of each element of a JSON array, in order, and returns undefined; when there is a fault in
 * any of it, returns that and visits nothing. Elements may be any JSON and nest `maxElementDepth` deep each.
 */
export function splitBatch(
  buf: Uint8Array,
  start: number,
  end: number,
  maxElements: number,
  visit: (start: number, end: number) => void,
  maxElementDepth: number = MAX_REQUEST_DEPTH,
): BatchFault | undefined {
  const ranges: number[] = [];
  const fault = collectRanges(buf, start, end, maxElements, maxElementDepth, ranges);
  if (fault !== undefined) return fault;
  for (let i = 0; i < ranges.length; i += 2) visit(ranges[i]!, ranges[i + 1]!);
  return undefined;
}

function collectRanges(
  buf: Uint8Array,
  start: number,
  end: number,
  maxElements: number,
  maxElementDepth: number,
  ranges: number[],
): BatchFault | undefined {
  const stack = new Uint8Array(maxElementDepth);
  const open = skipSpace(buf, start, end);
  if (byteAt(buf, open, end) !== OPEN_BRACKET) return 'not-json';
  let pos = skipSpace(buf, open + 1, end);
  let more = byteAt(buf, pos, end) !== CLOSE_BRACKET;
  while (more) {
    if (ranges.length === 2 * maxElements) return 'too-many';
    const valueEnd = skipValue(buf, pos, end, stack, maxElementDepth);
    if (valueEnd < 0) return valueEnd === TOO_DEEP ? 'too-deep' : 'not-json';
    ranges.push(pos, valueEnd);
    pos = skipSpace(buf, valueEnd, end);
    more = byteAt(buf, pos, end) === COMMA;
    if (more) pos = skipSpace(buf, pos + 1, end);
  }
  const complete = byteAt(buf, pos, end) === CLOSE_BRACKET && skipSpace(buf, pos + 1, end) === end;
  if (!complete) return 'not-json';
  return ranges.length === 0 ? 'empty' : undefined;
}
