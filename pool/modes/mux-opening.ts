import type { DialRequest } from '../dial.ts';
import { maxOpenBytes } from '../mux/frames.ts';

/** What OPEN says of a client (docs/mux-protocol.md); undefined when that is more than it may be. */
export function openingOf(request: DialRequest, window: number, resumed: boolean): Uint8Array | undefined {
  const { client, query, headers, protocols } = request;
  const path = client?.path ?? '/';
  const opening = {
    path: query === '' ? path : `${path}?${query}`,
    headers,
    address: client?.address ?? '',
    protocols,
    window,
    ...(resumed ? { resumed } : {}),
  };
  const json = Buffer.from(JSON.stringify(opening));
  return json.length > maxOpenBytes ? undefined : json;
}
