import { parseWireId } from './ids.ts';

/** A token that a client put into a request: where it stands, from the start of the request, and its bytes. */
export interface ProgressToken {
  readonly start: number;
  readonly end: number;
  readonly token: Uint8Array;
}

/** A message whose tokens were replaced, and where its id stands now. */
export interface Rewritten {
  readonly bytes: Uint8Array;
  readonly cutStart: number;
  readonly cutEnd: number;
}

const DOT = 0x2e;
const QUOTE = 0x22;
/** Two quotes, a safe integer, a dot and an index. */
const maxOwnTokenBytes = 24;

/**
 * Replaces the tokens of a request by ones made of its wire id, so that no two on a connection are alike. They are strings whatever
 * the client's were: `"17.0"` is the first token of request 17. The id is left for the caller to replace.
 */
export function rewriteTokens(
  bytes: Uint8Array,
  start: number,
  cutStart: number,
  cutEnd: number,
  end: number,
  tokens: readonly ProgressToken[],
  wireId: number,
): Rewritten {
  const parts: Uint8Array[] = [];
  let at = start;
  let shift = -start;
  tokens
    .map((token, index) => ({ ...token, index }))
    .toSorted((a, b) => a.start - b.start)
    .forEach(({ start: from, end: to, index }) => {
      const own = Buffer.from(`"${wireId}.${index}"`);
      parts.push(bytes.subarray(at, start + from), own);
      at = start + to;
      if (at <= cutStart) shift += own.length - (to - from);
    });
  parts.push(bytes.subarray(at, end));
  return { bytes: Buffer.concat(parts), cutStart: cutStart + shift, cutEnd: cutEnd + shift };
}

/** The wire id in a token that {@link rewriteTokens} made, and which of the request's tokens it is; undefined for any other. */
export function parseToken(
  buf: Uint8Array,
  start: number,
  end: number,
): { readonly wireId: number; readonly index: number } | undefined {
  if (buf[start] !== QUOTE || end - start > maxOwnTokenBytes) return undefined;
  let dot = start + 1;
  while (dot < end && buf[dot] !== DOT) dot++;
  const wireId = parseWireId(buf, start + 1, dot);
  const index = parseWireId(buf, dot + 1, end - 1);
  return wireId < 0 || index < 0 ? undefined : { wireId, index };
}
