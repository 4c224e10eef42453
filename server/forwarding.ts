import type { DialRequest } from '../pool/dial.ts';
import type { Handshake, UpgradeRequest } from './handshake.ts';

export interface ForwardingOptions {
  readonly mode: 'session' | 'request' | 'mux';
  readonly forwardHeaders: readonly string[];
  readonly forwardQuery: boolean;
}

export interface ForwardedClient {
  /** The client's address, as trusted proxies tell it. */
  readonly address: string;
  /** The peer's own address: a proxy's, where there is one. */
  readonly peerAddress: string;
  /** Whether that peer's X-Forwarded headers are believed. */
  readonly peerTrusted: boolean;
}

const forwardedFor = 'x-forwarded-for';

/** What a client's own upstream connection is asked for, from what the client sent. Empty when it sent nothing special. */
export function forwardedRequest(
  request: UpgradeRequest,
  { protocols, query }: Handshake,
  { mode, forwardHeaders, forwardQuery }: ForwardingOptions,
  client: ForwardedClient,
): DialRequest {
  const headers: [string, string][] = [];
  for (const name of forwardHeaders) {
    const value = forwardedValue(name, request.header(name), client);
    if (value !== '') headers.push([name, value]);
  }
  const rest = forwardQuery ? query : '';
  const special = mode === 'mux' || headers.length + protocols.length > 0 || rest !== '';
  // A connection or stream of the client's own can as well say whose it is; one dialled in advance could not.
  if (special && forwardHeaders.includes(forwardedFor) && request.header(forwardedFor) === '') {
    headers.push([forwardedFor, client.peerAddress]);
  }
  return { protocols, headers, query: rest, client: { path: request.path, address: client.address } };
}

/** What a stranger says of where it comes from is not passed on. */
function forwardedValue(name: string, value: string, { peerAddress, peerTrusted }: ForwardedClient): string {
  const tellsOrigin = name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip';
  if (value === '' || !tellsOrigin) return value;
  if (name === forwardedFor) return peerTrusted ? `${value}, ${peerAddress}` : peerAddress;
  return peerTrusted ? value : '';
}
