import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import { onTearDown } from '../../../test/support/tear-down.ts';
import { acceptMux, type MuxOptions } from './accept-mux.ts';

/** A `ws` server that accepts mux, and what it was told of its clients. */
export interface MuxBackend {
  readonly url: string;
  readonly server: WebSocketServer;
  readonly sockets: WebSocket[];
  readonly requests: IncomingMessage[];
  /** Messages and closes, in order. */
  readonly told: string[];
}

/** What else a test wants of it. */
export interface MuxBackendOptions {
  readonly mux?: MuxOptions;
  readonly ws?: ServerOptions;
  /** Listens in place of the server, which then waits to be handed upgrades. */
  readonly http?: Server;
  readonly onClient?: (socket: WebSocket, request: IncomingMessage) => void;
}

/** Starts one on a free loopback port; it is stopped when the test file ends. */
export async function startMuxBackend({
  mux = {},
  ws = {},
  http,
  onClient,
}: MuxBackendOptions = {}): Promise<MuxBackend> {
  const where = http === undefined ? { host: '127.0.0.1', port: 0 } : { noServer: true };
  const server = acceptMux(new WebSocketServer({ ...where, ...ws }), mux);
  const sockets: WebSocket[] = [];
  const requests: IncomingMessage[] = [];
  const told: string[] = [];
  server.on('connection', (socket, request) => {
    sockets.push(socket);
    requests.push(request);
    socket.on('message', (data: Buffer, isBinary) =>
      told.push(`${isBinary ? 'bytes' : 'text'} ${data.length}`),
    );
    socket.on('close', (code, reason) => told.push(`close ${code} ${reason.toString()}`.trim()));
    socket.on('error', (error: Error & { code?: string }) =>
      told.push(`error ${error.code ?? error.message}`),
    );
    onClient?.(socket, request);
  });
  await once(http?.listen(0, '127.0.0.1') ?? server, 'listening');
  onTearDown(() => {
    for (const client of server.clients) client.terminate();
    server.close();
    http?.close();
  });
  const { port } = (http ?? server).address() as AddressInfo;
  return { url: `ws://127.0.0.1:${port}`, server, sockets, requests, told };
}
