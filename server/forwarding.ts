import type { DialRequest } from '../pool/dial.ts';
import type { Handshake, UpgradeRequest } from './handshake.ts';
import { requestIdOf } from './request-id.ts';

export interface ForwardingOptions {
  readonly mode: 'session' | 'request' | 'mux';
  readonly forwardHeaders: readonly string[];
  readonly forwardQuery: boolean;
  /** Whether an upstream connection or stream is opened for each client, for none, or for those that ask for something special. */
  readonly opensFor: 'each' | 'none' | 'special';
  readonly newRequestId: () => string;
}

/** What a client's own upstream connection is asked for, and what it is called in logs. */
export interface Forwarded {
  readonly dial: DialRequest;
  /** As its handshake says; one made here where none is said and an upstream can be told; else ''. */
  readonly requestId: string;
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
const requestIdHeader = 'x-request-id';

/** What to ask an upstream for, from what the client sent. Nothing special when it sent nothing special. */
export function forwardedRequest(
  request: UpgradeRequest,
  { protocols, query }: Handshake,
  { mode, forwardHeaders, forwardQuery, opensFor, newRequestId }: ForwardingOptions,
  client: ForwardedClient,
): Forwarded {
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
  let requestId = requestIdOf(request.header(requestIdHeader));
  const canTell = forwardHeaders.includes(requestIdHeader) && (opensFor === 'each' || special);
  if (requestId === '' && canTell && opensFor !== 'none') {
    requestId = newRequestId();
    headers.push([requestIdHeader, requestId]);
  }
  const { path } = request;
  return {
    dial: { protocols, headers, query: rest, client: { path, address: client.address } },
    requestId,
  };
}

/** What a stranger says of where it comes from is not passed on, nor is a request id that is none. */
function forwardedValue(name: string, value: string, { peerAddress, peerTrusted }: ForwardedClient): string {
  if (name === requestIdHeader) return requestIdOf(value);
  const tellsOrigin = name.startsWith('x-forwarded-') || name === 'forwarded' || name === 'x-real-ip';
  if (value === '' || !tellsOrigin) return value;
  if (name === forwardedFor) return peerTrusted ? `${value}, ${peerAddress}` : peerAddress;
  return peerTrusted ? value : '';
}
