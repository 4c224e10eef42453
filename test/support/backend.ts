import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { WebSocketServer } from 'ws';
import type { ServerOptions, WebSocket } from 'ws';
import type { Certificate } from './certificate.ts';
import { onTearDown } from './tear-down.ts';

/** What an upgrade request asked for. */
export interface Upgrade {
  /** Path and query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The subprotocol agreed, '' for none. */
  readonly protocol: string;
}

/** Where a backend listens and what it does with a connection. */
export interface BackendOptions {
  readonly onConnection: (socket: WebSocket, request: IncomingMessage) => void;
  readonly handleProtocols?: ServerOptions['handleProtocols'];
  readonly certificate?: Certificate;
  /** Listens on this unix socket in place of a loopback port. */
  readonly unixPath?: string;
  readonly maxPayload?: number;
  /** Done to the server before anybody connects. */
  readonly prepare?: (server: WebSocketServer) => void;
}

/** A real WebSocket server (`ws`) in this process that counts, records and can be broken on purpose. */
export interface Backend {
  readonly url: string;
  readonly port: number;
  readonly upgrades: readonly Upgrade[];
  readonly sockets: ReadonlySet<WebSocket>;
  connectionsNow(): number;
  connectionsPeak(): number;
  /** Destroys every connection without a close frame; new ones are accepted. */
  kill(): void;
  /** Reads nothing more from any connection, present or to come, until `resume`. */
  stall(): void;
  resume(): void;
  /** Stops listening and destroys every connection: dialling is refused until `start`. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Starts a backend; it is stopped when the test file ends. */
export async function startBackend(options: BackendOptions): Promise<Backend> {
  const upgrades: Upgrade[] = [];
  const sockets = new Set<WebSocket>();
  const streams = new Set<Duplex>();
  let peak = 0;
  let stalled = false;
  const http = options.certificate === undefined ? createServer() : createTlsServer(options.certificate);
  http.on('connection', (stream: Duplex) => {
    streams.add(stream);
    stream.once('close', () => streams.delete(stream));
  });
  const wss = new WebSocketServer({
    server: http,
    perMessageDeflate: false,
    maxPayload: options.maxPayload ?? 64 << 20,
    handleProtocols: options.handleProtocols ?? (() => false),
  });
  options.prepare?.(wss);
  wss.on('connection', (socket, request) => {
    upgrades.push({ path: request.url ?? '', headers: request.headers, protocol: socket.protocol });
    sockets.add(socket);
    peak = Math.max(peak, sockets.size);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    if (stalled) socket.pause();
    options.onConnection(socket, request);
  });
  // A server that was stopped on purpose still gets the errors of connections it cut.
  wss.on('error', () => undefined);

  const listen = async (port: number): Promise<void> => {
    if (options.unixPath === undefined) http.listen(port, '127.0.0.1');
    else http.listen(options.unixPath);
    await once(http, 'listening');
  };
  const kill = (): void => {
    for (const stream of streams) stream.destroy();
    for (const socket of sockets) socket.terminate();
    sockets.clear();
  };
  const stop = async (): Promise<void> => {
    const closed = http.listening ? new Promise((resolve) => http.close(resolve)) : Promise.resolve();
    kill();
    await closed;
  };

  await listen(0);
  onTearDown(stop);
  const port = options.unixPath === undefined ? (http.address() as AddressInfo).port : 0;
  const scheme = options.certificate === undefined ? 'ws' : 'wss';
  return {
    url: options.unixPath === undefined ? `${scheme}://127.0.0.1:${port}` : `ws+unix:${options.unixPath}`,
    port,
    upgrades,
    sockets,
    connectionsNow: () => sockets.size,
    connectionsPeak: () => peak,
    kill,
    stall: () => {
      stalled = true;
      for (const socket of sockets) socket.pause();
    },
    resume: () => {
      stalled = false;
      for (const socket of sockets) socket.resume();
    },
    stop,
    start: () => listen(port),
  };
}
