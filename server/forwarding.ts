import type { DialRequest } from '../pool/dial.ts';
import type { Handshake, UpgradeRequest } from './handshake.ts';

export interface ForwardingOptions {
  readonly forwardHeaders: readonly string[];
  readonly forwardQuery: boolean;
}

export interface ForwardedClient {
  /** The peer's own address: a proxy's, where there is one. */
  readonly peerAddress: string;
  /** Whether that peer's X-Forwarded headers are believed. */
  readonly peerTrusted: boolean;
}

/** What a client's own upstream connection is asked for, from what the client sent. Empty when it sent nothing special. */
export function forwardedRequest(
  request: UpgradeRequest,
  { protocols, query }: Handshake,
  { forwardHeaders, forwardQuery }: ForwardingOptions,
  client: ForwardedClient,
): DialRequest {
  const headers: [string, string][] = [];
  for (const name of forwardHeaders) {
    const value = forwardedValue(name, request.header(name), client);
    if (value !== '') headers.push([name, value]);
  }
  return { protocols, headers, query: forwardQuery ? query : '' };
}

/** X-Forwarded headers of a stranger are not passed on: they say what the stranger likes. */
function forwardedValue(name: string, value: string, { peerAddress, peerTrusted }: ForwardedClient): string {
  if (value === '' || !name.startsWith('x-forwarded-')) return value;
  if (name === 'x-forwarded-for') return peerTrusted ? `${value}, ${peerAddress}` : peerAddress;
  return peerTrusted ? value : '';
}
