import type { RejectReason } from './close-codes.ts';

/** What a handshake asks for, copied out of the engine's request before it dies. */
export interface UpgradeRequest {
  /** As it was sent: methods are case-sensitive. */
  readonly method: string;
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  /** Value of a header by its lower-case name, or ''. */
  header(name: string): string;
}

/** Why a client is not let in, and the HTTP answer that tells it. */
export interface Rejection {
  readonly reason: RejectReason;
  readonly status: number;
  readonly body: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
}

export interface Handshake {
  /** What Sec-WebSocket-Accept is made from. */
  readonly key: string;
  readonly extensions: string;
  /** The application's subprotocols, in the client's order. */
  readonly protocols: readonly string[];
  /** The query without the gateway's own parameters. */
  readonly query: string;
}

export interface HandshakePolicy {
  /** Exact origins that browsers may come from; empty lets all in. */
  readonly allowedOrigins: ReadonlySet<string>;
}

const knownCodecs = ['zstd', 'brotli', 'gzip'];
const keyPattern = /^[A-Za-z0-9+/]{22}==$/;
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** Checks an opening handshake as strictly as RFC 6455 section 4.2.1 asks; the engine itself does not. */
export function checkHandshake(request: UpgradeRequest, policy: HandshakePolicy): Handshake | Rejection {
  if (request.method !== 'GET') return badHandshake('a WebSocket opening handshake is a GET request');
  if (request.header('upgrade').toLowerCase() !== 'websocket') {
    return badHandshake('this is a WebSocket endpoint: the header Upgrade: websocket is missing');
  }
  if (!hasToken(request.header('connection'), 'upgrade')) {
    return badHandshake('the header Connection: Upgrade is missing');
  }
  if (request.header('sec-websocket-version') !== '13') {
    const body = 'only WebSocket version 13 is spoken here: send Sec-WebSocket-Version: 13';
    return reject('version', 426, body, [['Sec-WebSocket-Version', '13']]);
  }
  const key = request.header('sec-websocket-key');
  if (!keyPattern.test(key)) return badHandshake('Sec-WebSocket-Key must be the base64 of 16 random bytes');
  const protocols = parseProtocols(request.header('sec-websocket-protocol'));
  if (protocols === undefined)
    return badHandshake('Sec-WebSocket-Protocol must be a list of different tokens');
  const parameters = splitQuery(request.query);
  if (parameters.codec !== undefined) return unknownCodec();
  const origin = request.header('origin');
  if (origin !== '' && policy.allowedOrigins.size > 0 && !policy.allowedOrigins.has(origin.toLowerCase())) {
    return reject('origin', 403, 'this Origin is not allowed: see listen.allowedOrigins');
  }
  return {
    key,
    extensions: request.header('sec-websocket-extensions'),
    protocols: protocols.filter((protocol) => !protocol.startsWith('wsluice.')),
    query: parameters.rest,
  };
}

export function isRejection(outcome: object): outcome is Rejection {
  return 'status' in outcome;
}

/** An HTTP answer that turns a client away. */
export function reject(
  reason: RejectReason,
  status: number,
  body: string,
  headers: Rejection['headers'] = [],
): Rejection {
  return { reason, status, body, headers };
}

function badHandshake(body: string): Rejection {
  return reject('handshake', 400, body);
}

function unknownCodec(): Rejection {
  const body = `unknown codec: the known ones are ${knownCodecs.join(', ')}, and none of them is available in this version`;
  return reject('codec', 400, body);
}

function hasToken(header: string, token: string): boolean {
  return header.split(',').some((item) => item.trim().toLowerCase() === token);
}

/** The offered subprotocols; undefined when the header is malformed. RFC 6455 section 4.1: tokens, all different. */
function parseProtocols(header: string): string[] | undefined {
  if (header === '') return [];
  const protocols = header.split(',').map((item) => item.trim());
  const valid =
    protocols.every((item) => tokenPattern.test(item)) && new Set(protocols).size === protocols.length;
  return valid ? protocols : undefined;
}

/** Takes the gateway's own parameter out of a query and leaves the rest as it was written. */
function splitQuery(query: string): { codec: string | undefined; rest: string } {
  if (query === '') return { codec: undefined, rest: '' };
  const parts = query.split('&');
  const own = parts.find((part) => part === 'codec' || part.startsWith('codec='));
  return { codec: own?.slice('codec='.length), rest: parts.filter((part) => part !== own).join('&') };
}
