import { createHash, randomBytes } from 'node:crypto';
import { HTTP_TOKEN, parseResponseHead, quoted, type ResponseHead } from './response-head.ts';

export interface HandshakeRequest {
  readonly host: string;
  /** Request target: path and query. */
  readonly path: string;
  /** From `newKey`. */
  readonly key: string;
  readonly protocols: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
}

/** A request that cannot be written without letting a value break out of its place. */
export class BadHeaderError extends Error {
  readonly code = 'WSLUICE_BAD_HEADER';
}

/** An upstream that did not open a WebSocket; `status` is set when it answered with another status than 101. */
export class UpstreamHandshakeError extends Error {
  readonly code = 'WSLUICE_UPSTREAM_HANDSHAKE';
  readonly status: number | undefined;

  constructor(message: string, status?: number) {
    super(message);
    this.status = status;
  }
}

/** What the upstream agreed to, and where in the chunk pushed last its first frame begins. */
export interface Accepted {
  /** The subprotocol chosen, or ''. */
  readonly protocol: string;
  /** The codec that the upstream says it speaks, or ''. */
  readonly codec: string;
  /** Ids of the zstd dictionaries that it says it has, or ''. */
  readonly dictionaryIds: string;
  readonly leftoverStart: number;
}

export interface HandshakeResponseOptions {
  /** The key of the request. */
  readonly key: string;
  /** The subprotocols of the request. */
  readonly offered: readonly string[];
  readonly maxBytes?: number;
}

const ACCEPT_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const HEAD_END = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);
const FIRST_BYTES = 'HTTP/1.';
const CONTROL = /[\0-\x08\x0a-\x1f\x7f]/;
const SPACE_OR_CONTROL = /[\0-\x20\x7f]/;
const OWN_NAMES = /^(?:host|upgrade|connection|content-length|transfer-encoding|sec-websocket-.*)$/i;

/** A new Sec-WebSocket-Key: 16 random bytes in base64 (RFC 6455 section 4.1). */
export function newKey(): string {
  return randomBytes(16).toString('base64');
}

/**
 * The bytes of an opening handshake (RFC 6455 section 4.1). Throws WSLUICE_BAD_HEADER for a value with a control
 * character, a name or subprotocol that is no token, and an extra header that belongs to the handshake itself.
 */
export function handshakeRequest({ host, path, key, protocols, headers }: HandshakeRequest): Buffer {
  if (host === '' || SPACE_OR_CONTROL.test(host)) throw new BadHeaderError(`bad host ${quoted(host)}`);
  if (!path.startsWith('/') || SPACE_OR_CONTROL.test(path)) throw new BadHeaderError('bad path');
  if (SPACE_OR_CONTROL.test(key)) throw new BadHeaderError('bad key');
  for (const protocol of protocols) {
    if (!HTTP_TOKEN.test(protocol)) throw new BadHeaderError('bad subprotocol');
  }
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: ${host}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Key: ${key}`,
    'Sec-WebSocket-Version: 13',
  ];
  if (protocols.length > 0) lines.push(`Sec-WebSocket-Protocol: ${protocols.join(', ')}`);
  for (const [name, value] of headers) {
    if (!HTTP_TOKEN.test(name) || OWN_NAMES.test(name))
      throw new BadHeaderError(`bad header name ${quoted(name)}`);
    if (CONTROL.test(value)) throw new BadHeaderError(`control character in the header ${name}`);
    lines.push(`${name}: ${value}`);
  }
  // Not latin1: that would cut U+010A down to a line feed.
  return Buffer.from(lines.join('\r\n') + HEAD_END, 'utf8');
}

/** Reads and checks the upstream's answer to an opening handshake that offered no extension. */
export class HandshakeResponse {
  readonly #key: string;
  readonly #offered: readonly string[];
  readonly #maxBytes: number;
  #head: Buffer = NOTHING;

  constructor({ key, offered, maxBytes = 16_384 }: HandshakeResponseOptions) {
    this.#key = key;
    this.#offered = offered;
    this.#maxBytes = maxBytes;
  }

  /** Reads a chunk: 'more' until the answer is complete. Throws WSLUICE_UPSTREAM_HANDSHAKE when it is no good one. */
  push(buf: Uint8Array, start: number, end: number): 'more' | Accepted {
    const before = this.#head.length;
    const taken = Math.min(end, start + this.#maxBytes - before);
    this.#head = Buffer.concat([this.#head, buf.subarray(start, taken)]);
    const headEnd = this.#head.indexOf(HEAD_END, Math.max(0, before - HEAD_END.length + 1), 'latin1');
    if (headEnd < 0) {
      this.#checkUnfinished();
      return 'more';
    }
    const head = parseResponseHead(this.#head.toString('latin1', 0, headEnd));
    this.#head = NOTHING;
    if (typeof head === 'string') throw new UpstreamHandshakeError(head);
    const protocol = acceptedProtocol(head, this.#key, this.#offered);
    const codec = head.headers.get('wsluice-codec')?.[0] ?? '';
    const dictionaryIds = head.headers.get('wsluice-dictionaries')?.[0] ?? '';
    return { protocol, codec, dictionaryIds, leftoverStart: start + headEnd + HEAD_END.length - before };
  }

  #checkUnfinished(): void {
    const first = this.#head.toString('latin1', 0, FIRST_BYTES.length);
    if (!FIRST_BYTES.startsWith(first)) throw new UpstreamHandshakeError(`not HTTP: ${quoted(first)}`);
    if (this.#head.length < this.#maxBytes) return;
    throw new UpstreamHandshakeError(`response head over ${this.#maxBytes} bytes`);
  }
}

/** The subprotocol of a good answer (RFC 6455 section 4.1, the client's checks). */
function acceptedProtocol(
  { version, status, headers }: ResponseHead,
  key: string,
  offered: readonly string[],
): string {
  if (status !== 101) throw new UpstreamHandshakeError(`status ${status} instead of 101`, status);
  if (version !== 'HTTP/1.1') throw new UpstreamHandshakeError(`101 in ${version}`);
  const only = (name: string): string | undefined => {
    const values = headers.get(name.toLowerCase());
    if (values !== undefined && values.length > 1) throw new UpstreamHandshakeError(`${name} more than once`);
    return values?.[0];
  };
  if (only('Upgrade')?.toLowerCase() !== 'websocket')
    throw new UpstreamHandshakeError('no Upgrade: websocket');
  const connection = headers
    .get('connection')
    ?.join(',')
    .toLowerCase()
    .split(/[\t ]*,[\t ]*/);
  if (!connection?.includes('upgrade')) throw new UpstreamHandshakeError('no Connection: Upgrade');
  const expected = createHash('sha1')
    .update(key + ACCEPT_GUID)
    .digest('base64');
  if (only('Sec-WebSocket-Accept') !== expected)
    throw new UpstreamHandshakeError('wrong Sec-WebSocket-Accept');
  const extensions = headers.get('sec-websocket-extensions')?.join(',');
  if (extensions) throw new UpstreamHandshakeError('an extension that was not offered');
  const protocol = only('Sec-WebSocket-Protocol') ?? '';
  if (protocol === '' || offered.includes(protocol)) return protocol;
  // Not which: some clients send their tokens as subprotocols, and a server may send one back.
  throw new UpstreamHandshakeError('a subprotocol that was not offered');
}
