import type { HttpRequest, HttpResponse, TemplatedApp, us_listen_socket } from 'uWebSockets.js';
import { Cork } from './cork.ts';
import type { ClientSocket } from './connection.ts';
import { DeflatingSocket } from './deflating-socket.ts';
import type { UpgradeRequest } from './handshake.ts';
import { acceptableOffer, engineCompression, type DeflateMode } from './permessage-deflate.ts';

export interface ListenerOptions<Client, Seat> {
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | null;
  readonly maxMessageBytes: number;
  readonly permessageDeflate: DeflateMode;
  /** Messages of at least this many bytes are compressed where permessage-deflate was negotiated. */
  readonly deflateMinBytes: number;
  /** After this time without a byte from a client the engine gives up on it: a safety net behind the heartbeat. 0 = never. */
  readonly idleTimeoutMs: number;
  readonly handlers: ListenerHandlers<Client, Seat>;
}

/** What happens on the listener. `Seat` is what the answer to an upgrade carries over to the open connection. */
export interface ListenerHandlers<Client, Seat> {
  /** An opening handshake, or any other HTTP request. */
  onRequest(request: UpgradeRequest, peerAddress: string, answer: Answer<Seat>): void;
  onOpen(socket: ClientSocket, seat: Seat): Client;
  onMessage(client: Client, message: ArrayBuffer, isBinary: boolean): void;
  /** The client pinged; the engine has answered it. */
  onPing(client: Client): void;
  onPong(client: Client): void;
  /** The client has read some of what the engine holds for it. */
  onDrain(client: Client): void;
  onClose(client: Client, code: number, reason: string): void;
  /** A handler threw: a bug, and this client's alone. */
  onError(error: unknown): void;
}

type HeaderLines = readonly (readonly [name: string, value: string])[];

/** What the 101 says. */
export interface UpgradeTerms {
  /** What Sec-WebSocket-Accept is made from. */
  readonly key: string;
  /** The chosen subprotocol, or ''. */
  readonly protocol: string;
  /** The extensions that the client offered. */
  readonly extensions: string;
  readonly headers: HeaderLines;
}

/** How a request is answered, now or later. Nothing happens when the client has gone in the meantime. */
export interface Answer<Seat> {
  /** 101; the seat reaches `onOpen`, which runs before this returns. Returns false when the client is gone. */
  upgrade(seat: Seat, terms: UpgradeTerms): boolean;
  /** A text is ended with a line feed. */
  end(status: number, headers: HeaderLines, body: string | Uint8Array): void;
  /** Called when the client goes away before it was answered. */
  onGone(callback: () => void): void;
}

type Engine = typeof import('uWebSockets.js');

interface Slot<Client, Seat> {
  readonly seat: Seat;
  /** permessage-deflate was negotiated. */
  readonly deflates: boolean;
  client: Client | undefined;
}

const statusTexts: Readonly<Record<number, string>> = {
  200: '200 OK',
  400: '400 Bad Request',
  401: '401 Unauthorized',
  403: '403 Forbidden',
  404: '404 Not Found',
  405: '405 Method Not Allowed',
  426: '426 Upgrade Required',
  429: '429 Too Many Requests',
  500: '500 Internal Server Error',
  503: '503 Service Unavailable',
};

/**
 * A message this much over the limit still reaches us, so that its sender gets a close frame; the engine cuts off longer ones.
 * It unpacks as much as it lets through: with permessage-deflate a bomb gets no more than half a message's memory on top.
 */
function enginePayloadLimit(maxMessageBytes: number, mode: DeflateMode): number {
  const leeway = mode === 'off' ? 15 << 20 : Math.max(64 << 10, maxMessageBytes >> 1);
  return Math.min(maxMessageBytes + leeway, 2 ** 31 - 1);
}

/**
 * The engine takes 8 to 960 seconds, or 0 for none. From 16 on it gives a client that was ended at least 4 seconds to read why, and
 * below that maybe none: it cuts the connection then, and whoever is still sending loses the close frame.
 */
function engineIdleTimeout(idleTimeoutMs: number): number {
  if (idleTimeoutMs === 0) return 0;
  return Math.min(960, Math.max(16, Math.ceil(idleTimeoutMs / 1_000)));
}

/** The client listener. The only file that knows the engine. */
export class Listener {
  readonly port: number;
  readonly #app: TemplatedApp;
  readonly #cork: Cork;
  readonly #closeSocket: () => void;
  readonly #visitors: Visitors;
  #listening = true;

  private constructor(
    app: TemplatedApp,
    cork: Cork,
    port: number,
    visitors: Visitors,
    closeSocket: () => void,
  ) {
    this.#app = app;
    this.#cork = cork;
    this.port = port;
    this.#visitors = visitors;
    this.#closeSocket = closeSocket;
  }

  /** Opens the port. Throws WSLUICE_LISTEN when it cannot, WSLUICE_TLS for a bad certificate, WSLUICE_ENGINE where the engine has no binary. */
  static async open<Client, Seat>(options: ListenerOptions<Client, Seat>): Promise<Listener> {
    const engine = await loadEngine();
    const { tls, host } = options;
    const app = tls === null ? engine.App() : secureApp(engine, tls);
    const cork = await Cork.open(engine);
    const visitors: Visitors = { count: 0 };
    mount(app, options, cork, visitors);
    let socket;
    try {
      socket = await listen(app, host, options.port);
    } catch (error) {
      app.close();
      cork.close();
      throw error;
    }
    const port = engine.us_socket_local_port(socket);
    return new Listener(app, cork, port, visitors, () => engine.us_listen_socket_close(socket));
  }

  /** Connections that may still become clients: they have asked for nothing yet, or for something else than an upgrade. */
  get visitors(): number {
    return this.#visitors.count;
  }

  /** Takes no new connections; those there are stay. */
  stopListening(): void {
    if (!this.#listening) return;
    this.#listening = false;
    this.#closeSocket();
  }

  /** Cuts whatever is still connected. */
  close(): void {
    this.stopListening();
    this.#app.close();
    this.#cork.close();
  }
}

function secureApp(engine: Engine, tls: { readonly cert: string; readonly key: string }): TemplatedApp {
  try {
    return engine.SSLApp({ cert_file_name: tls.cert, key_file_name: tls.key });
  } catch (error) {
    const message = `cannot use ${tls.cert} with the key ${tls.key}: is it a PEM certificate, and the key its own?`;
    throw Object.assign(new Error(message, { cause: error }), { code: 'WSLUICE_TLS' });
  }
}

function listen(app: TemplatedApp, host: string, port: number): Promise<us_listen_socket> {
  return new Promise((resolve, fail) => {
    app.listen(host, port, (socket) => {
      if (socket !== false) return resolve(socket);
      const message = `cannot listen on ${host}:${port}: the address is in use, not of this machine, or not permitted`;
      fail(Object.assign(new Error(message), { code: 'WSLUICE_LISTEN' }));
    });
  });
}

/** The connections that are no WebSockets. */
interface Visitors {
  count: number;
}

function mount<Client, Seat>(
  app: TemplatedApp,
  options: ListenerOptions<Client, Seat>,
  cork: Cork,
  visitors: Visitors,
): void {
  const { handlers, permessageDeflate, deflateMinBytes } = options;
  const guarded = (run: () => void): void => {
    try {
      run();
    } catch (error) {
      handlers.onError(error);
    }
  };
  const respond = (answer: Answer<Seat>, request: UpgradeRequest, peer: string): void => {
    guarded(() => {
      try {
        handlers.onRequest(request, peer, answer);
      } catch (error) {
        answer.end(500, [], 'internal error');
        throw error;
      }
    });
  };
  app.filter((_, change) => {
    visitors.count += change;
  });
  app.ws<Slot<Client, Seat>>('/*', {
    idleTimeout: engineIdleTimeout(options.idleTimeoutMs),
    sendPingsAutomatically: false,
    maxPayloadLength: enginePayloadLimit(options.maxMessageBytes, permessageDeflate),
    compression: engineCompression(permessageDeflate),
    // Ours is the only limit: the engine's would also drop the close frame that explains it.
    maxBackpressure: 0,
    upgrade: (res, req, context) => {
      respond(
        new EngineAnswer(res, cork, { context, permessageDeflate }),
        readRequest(req),
        peerAddress(res),
      );
    },
    open: (ws) => {
      // The engine does not tell its filter.
      visitors.count--;
      const slot = ws.getUserData();
      const socket = slot.deflates ? new DeflatingSocket(ws, deflateMinBytes) : ws;
      guarded(() => (slot.client = handlers.onOpen(socket, slot.seat)));
      if (slot.client === undefined) ws.close();
    },
    message: (ws, message, isBinary) => {
      // No closure: this runs for every message.
      try {
        handlers.onMessage(ws.getUserData().client!, message, isBinary);
      } catch (error) {
        handlers.onError(error);
        // Its message ended in silence; the client is told at least that something broke.
        guarded(() => ws.end(1011, 'internal error'));
      }
    },
    ping: (ws) => {
      guarded(() => handlers.onPing(ws.getUserData().client!));
    },
    pong: (ws) => {
      guarded(() => handlers.onPong(ws.getUserData().client!));
    },
    drain: (ws) => {
      guarded(() => handlers.onDrain(ws.getUserData().client!));
    },
    close: (ws, code, reason) => {
      const { client } = ws.getUserData();
      const text = Buffer.from(reason).toString();
      if (client !== undefined) guarded(() => handlers.onClose(client, closeCode(code, text), text));
    },
  });
  app.any('/*', (res, req) => {
    respond(new EngineAnswer(res, cork, undefined), readRequest(req), peerAddress(res));
  });
}

/**
 * The engine reports an empty close frame of ours as 0, and calls a close frame invalid whose code is 1012 to 1014 or 3000 to
 * 3999, although those are allowed: the code is lost then, but it was a proper goodbye.
 */
function closeCode(code: number, reason: string): number {
  // The one about inflation stands for garbage too, but is likelier to be a message that was too big.
  if (code === 1006 && reason.startsWith('Received too big message')) return 1009;
  return code === 0 || (code === 1006 && reason === 'Received invalid close payload') ? 1005 : code;
}

function peerAddress(res: HttpResponse): string {
  return Buffer.from(res.getRemoteAddressAsText()).toString();
}

/** Copies all there is: the engine's request dies when its handler returns. */
function readRequest(req: HttpRequest): UpgradeRequest {
  const headers = new Map<string, string>();
  req.forEach((name, value) => {
    const before = headers.get(name);
    headers.set(name, before === undefined ? value : `${before}, ${value}`);
  });
  return {
    method: req.getCaseSensitiveMethod(),
    path: req.getUrl(),
    // Undefined when there is none, whatever the typings say.
    query: orEmpty(req.getQuery()),
    header: (name) => headers.get(name) ?? '',
  };
}

function orEmpty(text: string | undefined): string {
  return text ?? '';
}

/** What an upgrade takes beside the response. */
interface EngineHandshake {
  readonly context: Parameters<HttpResponse['upgrade']>[4];
  readonly permessageDeflate: DeflateMode;
}

class EngineAnswer<Client, Seat> implements Answer<Seat> {
  readonly #res: HttpResponse;
  readonly #cork: Cork;
  readonly #handshake: EngineHandshake | undefined;
  #settled = false;
  #onGone: (() => void) | undefined;

  constructor(res: HttpResponse, cork: Cork, handshake: EngineHandshake | undefined) {
    this.#res = res;
    this.#cork = cork;
    this.#handshake = handshake;
    res.onAborted(() => {
      if (this.#settled) return;
      this.#settled = true;
      this.#onGone?.();
    });
  }

  upgrade(seat: Seat, { key, protocol, extensions, headers }: UpgradeTerms): boolean {
    const handshake = this.#handshake;
    if (this.#settled) return false;
    if (handshake === undefined)
      throw new Error('bug: upgraded a request that the engine does not take for a handshake');
    this.#settled = true;
    const offer = acceptableOffer(extensions, handshake.permessageDeflate);
    const slot: Slot<Client, Seat> = { seat, deflates: offer !== '', client: undefined };
    this.#cork.run(() => {
      // Any header before the status would make it 200.
      this.#res.writeStatus('101 Switching Protocols');
      for (const [name, value] of headers) this.#res.writeHeader(name, value);
      this.#res.upgrade(slot, key, protocol, offer, handshake.context);
    });
    return true;
  }

  end(status: number, headers: HeaderLines, body: string | Uint8Array): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#res.cork(() => {
      this.#res.writeStatus(statusTexts[status] ?? String(status));
      for (const [name, value] of headers) this.#res.writeHeader(name, value);
      if (!headers.some(([name]) => name.toLowerCase() === 'content-type')) {
        this.#res.writeHeader('Content-Type', 'text/plain; charset=utf-8');
      }
      this.#res.end(typeof body === 'string' ? `${body}\n` : body, true);
    });
  }

  onGone(callback: () => void): void {
    this.#onGone = callback;
  }
}

/** Loads uWebSockets.js. Throws WSLUICE_ENGINE, saying what to do, where it has no binary for this Node or system. */
export async function loadEngine(): Promise<Engine> {
  try {
    return await import('uWebSockets.js');
  } catch (error) {
    const { platform, arch, versions } = process;
    const message =
      `uWebSockets.js has no binary for Node ${versions.node} on ${platform} ${arch}. Run wsluice with Node 20 or 22, or alias a ` +
      'newer engine: npm install uWebSockets.js@github:uNetworking/uWebSockets.js#<version>';
    throw Object.assign(new Error(message, { cause: error }), { code: 'WSLUICE_ENGINE' });
  }
}
