import { readFileSync } from 'node:fs';
import { connect, type OnReadOpts, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { CodedUpstream, type UpstreamCodec } from './coded-upstream.ts';
import type { Endpoint } from './endpoint.ts';
import { Upstream, type UpstreamConnection, type UpstreamOptions } from './upstream.ts';
import { HandshakeResponse, handshakeRequest, newKey } from './wire/client-handshake.ts';

/** What all upstream connections of a pool have in common. */
export interface DialerOptions extends Omit<UpstreamOptions, 'socket' | 'label' | 'protocol' | 'trusted'> {
  readonly connectTimeoutMs: number;
  readonly tls: { readonly ca: string | null; readonly rejectUnauthorized: boolean };
  /** Told when handling what an upstream sent threw, which is a bug; that connection alone is cut. */
  readonly onError: (error: unknown) => void;
  /** All sockets read into this one buffer: what it holds is consumed before the next read. */
  readonly readBuffer: Buffer;
  /** Offered to every upstream, and spoken to those that agree to it. */
  readonly codec: UpstreamCodec | undefined;
  /** A subprotocol that is offered to every upstream; one that does not choose it is not spoken to. */
  readonly requiredProtocol?: string | undefined;
}

/** What one connection asks for beyond the endpoint's URL. */
export interface DialRequest {
  readonly protocols: readonly string[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** Query string to append to the endpoint's, without `?`. */
  readonly query: string;
  /** How long the dial may take, where that is less than the configured time. */
  readonly timeoutMs?: number;
  /** The client that it is for: the path it asked for, and where it comes from. */
  readonly client?: { readonly path: string; readonly address: string };
}

export const plainDial: DialRequest = { protocols: [], headers: [], query: '' };

/** Why a dial failed; `status` is the HTTP status when the upstream answered with another than 101. */
export class DialError extends Error {
  readonly code = 'WSLUICE_DIAL';
  readonly status: number | undefined;
  /** The upstream has nothing to do with it: the request could not be put into a handshake, and was not sent. */
  readonly unsendable: boolean;

  constructor(message: string, status?: number, unsendable = false) {
    super(message);
    this.status = status;
    this.unsendable = unsendable;
  }
}

export interface DialHandlers {
  /** Called once on success, before any byte after the handshake is read. */
  onOpen(upstream: UpstreamConnection): void;
  /** Called once on failure. */
  onFailure(error: DialError): void;
}

/** Opens WebSocket connections to endpoints. */
export class Dialer {
  readonly #options: DialerOptions;
  readonly #ca: Buffer | undefined;

  constructor(options: DialerOptions) {
    this.#options = options;
    this.#ca = options.tls.ca === null ? undefined : readFileSync(options.tls.ca);
  }

  /** Starts a dial; the returned function gives it up, after which no handler is called. No handler runs before it returns. */
  dial(endpoint: Endpoint, request: DialRequest, handlers: DialHandlers): () => void {
    const { codec, requiredProtocol } = this.#options;
    const protocols = [...request.protocols];
    if (requiredProtocol !== undefined) protocols.push(requiredProtocol);
    if (codec !== undefined) protocols.push(codec.subprotocol);
    const attempt = new Attempt(endpoint, handlers, this.#options, protocols);
    try {
      // Before there is a socket: a request that cannot be sent opens none.
      const head = requestHead(
        endpoint,
        { ...request, protocols, headers: [...request.headers, ...(codec?.headers ?? [])] },
        attempt.key,
      );
      const socket = endpoint.secure ? this.#connectTls(endpoint) : this.#connectPlain(endpoint, attempt);
      attempt.start(socket, head, request.timeoutMs);
    } catch (error) {
      setImmediate(() => attempt.fail(error as Error));
    }
    return () => attempt.abandon();
  }

  #connectPlain(endpoint: Endpoint, attempt: Attempt): Socket {
    const onread: OnReadOpts = {
      buffer: this.#options.readBuffer,
      callback: (length, buf) => {
        attempt.push(buf, 0, length);
        return true;
      },
    };
    return endpoint.socketPath === undefined
      ? connect({ host: endpoint.host, port: endpoint.port, noDelay: true, onread })
      : connect({ path: endpoint.socketPath, onread });
  }

  #connectTls(endpoint: Endpoint): Socket {
    return connectTls({
      host: endpoint.host,
      port: endpoint.port,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: this.#options.tls.rejectUnauthorized,
      ...(endpoint.serverName === undefined ? {} : { servername: endpoint.serverName }),
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
    });
  }
}

/** One socket on its way from dialling to closed. */
class Attempt {
  readonly #endpoint: Endpoint;
  readonly #handlers: DialHandlers;
  readonly #options: DialerOptions;
  readonly key = newKey();
  readonly #response: HandshakeResponse;
  #socket: Socket | undefined;
  #upstream: Upstream | undefined;
  #timer: NodeJS.Timeout | undefined;
  #settled = false;

  constructor(
    endpoint: Endpoint,
    handlers: DialHandlers,
    options: DialerOptions,
    protocols: readonly string[],
  ) {
    this.#endpoint = endpoint;
    this.#handlers = handlers;
    this.#options = options;
    this.#response = new HandshakeResponse({ key: this.key, offered: protocols });
  }

  start(socket: Socket, head: Buffer, timeoutMs = Infinity): void {
    this.#socket = socket;
    const connectTimeoutMs = Math.min(timeoutMs, this.#options.connectTimeoutMs);
    this.#timer = setTimeout(
      () => this.fail(new Error(`no answer in ${connectTimeoutMs} ms`)),
      connectTimeoutMs,
    );
    if (this.#endpoint.secure) {
      socket.setNoDelay(true);
      socket.on('data', (chunk: Buffer) => this.push(chunk, 0, chunk.length));
    }
    socket.once(this.#endpoint.secure ? 'secureConnect' : 'connect', () => socket.write(head));
    socket.on('error', (error) => this.fail(error));
    socket.on('close', () => {
      this.fail(new Error('closed before it answered'));
      try {
        this.#upstream?.onSocketClosed();
      } catch (error) {
        this.#options.onError(error);
      }
    });
  }

  push(buf: Uint8Array, start: number, end: number): void {
    try {
      if (this.#upstream !== undefined) this.#upstream.push(buf, start, end);
      else if (!this.#settled) this.#pushHandshake(buf, start, end);
    } catch (error) {
      this.#options.onError(error);
      this.#socket?.destroy();
    }
  }

  #pushHandshake(buf: Uint8Array, start: number, end: number): void {
    let answer;
    try {
      answer = this.#response.push(buf, start, end);
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    if (answer === 'more') return;
    const { codec, requiredProtocol } = this.#options;
    if (requiredProtocol !== undefined && answer.protocol !== requiredProtocol) {
      this.fail(new Error(`does not speak ${requiredProtocol}`));
      return;
    }
    if (answer.codec !== '' && answer.codec !== codec?.name) {
      this.fail(new Error('speaks a codec that the pool does not'));
      return;
    }
    this.#settle();
    const { label, trusted } = this.#endpoint;
    // A subprotocol alone proves nothing: many servers choose the first one offered without knowing it.
    const agreed = codec !== undefined && answer.codec === codec.name;
    this.#upstream = new Upstream({
      ...this.#options,
      socket: this.#socket!,
      label,
      trusted,
      // The flag byte that a codec adds comes on top.
      maxMessageBytes: this.#options.maxMessageBytes + (agreed ? 1 : 0),
      protocol: answer.protocol === codec?.subprotocol ? '' : answer.protocol,
    });
    this.#handlers.onOpen(
      agreed ? new CodedUpstream(this.#upstream, codec, answer.dictionaryIds) : this.#upstream,
    );
    this.#upstream.push(buf, answer.leftoverStart, end);
  }

  fail(error: Error & { status?: number }): void {
    if (this.#settled) return;
    this.#settle();
    this.#socket?.destroy();
    const unsendable = 'code' in error && error.code === 'WSLUICE_BAD_HEADER';
    this.#handlers.onFailure(new DialError(error.message, unsendable ? 400 : error.status, unsendable));
  }

  abandon(): void {
    if (this.#settled) return;
    this.#settle();
    this.#socket?.destroy();
  }

  #settle(): void {
    this.#settled = true;
    clearTimeout(this.#timer);
  }
}

function requestHead(endpoint: Endpoint, { protocols, headers, query }: DialRequest, key: string): Buffer {
  const ownsAuthorization = headers.some(([name]) => name === 'authorization');
  const authorization =
    endpoint.authorization === undefined || ownsAuthorization
      ? []
      : [['authorization', endpoint.authorization] as const];
  const separator = endpoint.path.includes('?') ? '&' : '?';
  return handshakeRequest({
    host: endpoint.authority,
    path: query === '' ? endpoint.path : endpoint.path + separator + query,
    key,
    protocols,
    headers: [...headers, ...authorization],
  });
}
