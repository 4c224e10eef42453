import { negotiateCodec } from '../codec/negotiate.ts';
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
  /** Name of the codec the client speaks; undefined for none. */
  readonly codec: string | undefined;
  /** The subprotocol to answer with when the upstream chose none, or ''. */
  readonly codecProtocol: string;
  /** Id of the zstd dictionary the client has, 0 for none; undefined when it does not say. */
  readonly dictionaryId: number | undefined;
  /** Ids of the zstd dictionaries that a gateway in front of this one has; '' when it is none. */
  readonly peersDictionaryIds: string;
}

export interface HandshakePolicy {
  /** Exact origins that browsers may come from; empty lets all in. */
  readonly allowedOrigins: ReadonlySet<string>;
  /** Codecs a client may ask for. */
  readonly codecs: ReadonlySet<string>;
}

const keyPattern = /^[A-Za-z0-9+/]{22}==$/;
const idPattern = /^\d{1,10}$/;
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
  const { codec, dictionary, rest } = splitQuery(request.query);
  const negotiated = negotiateCodec({ codec, protocols }, policy.codecs);
  if (negotiated === undefined) return unknownCodec(policy.codecs);
  if (dictionary !== undefined && !idPattern.test(dictionary))
    return badHandshake('the parameter dictionary is the id of a zstd dictionary, a number, or 0 for none');
  if (!isAllowedOrigin(request.header('origin'), policy.allowedOrigins)) return badOrigin();
  return {
    key,
    extensions: request.header('sec-websocket-extensions'),
    protocols: negotiated.protocols,
    query: rest,
    codec: negotiated.codec,
    codecProtocol: negotiated.protocol,
    dictionaryId: dictionary === undefined ? undefined : Number(dictionary),
    peersDictionaryIds: request.header('wsluice-dictionaries'),
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

/** True for no origin, for one of the list, and for any when the list is empty. */
export function isAllowedOrigin(origin: string, allowed: ReadonlySet<string>): boolean {
  return origin === '' || allowed.size === 0 || allowed.has(origin.toLowerCase());
}

export function badOrigin(): Rejection {
  return reject('origin', 403, 'this Origin is not allowed: see listen.allowedOrigins');
}

function badHandshake(body: string): Rejection {
  return reject('handshake', 400, body);
}

function unknownCodec(codecs: ReadonlySet<string>): Rejection {
  const known = codecs.size === 0 ? 'there are none here' : `the known ones are ${[...codecs].join(', ')}`;
  return reject('codec', 400, `unknown codec: ${known}`);
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

/** Takes the gateway's own parameters out of a query and leaves the rest as it was written. */
function splitQuery(query: string): {
  codec: string | undefined;
  dictionary: string | undefined;
  rest: string;
} {
  const parts = query === '' ? [] : query.split('&');
  const own = (name: string): string | undefined =>
    parts.find((part) => part === name || part.startsWith(`${name}=`));
  const codec = own('codec');
  // Without a codec it is the application's.
  const dictionary = codec === undefined ? undefined : own('dictionary');
  const rest = parts.filter((part) => part !== codec && part !== dictionary).join('&');
  return {
    codec: codec?.slice('codec='.length),
    dictionary: dictionary?.slice('dictionary='.length),
    rest,
  };
}
