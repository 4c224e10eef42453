import { once } from 'node:events';
import { WebSocketServer, type RawData, type WebSocket } from 'ws';
import { acceptMux } from '../../pool/mux/adapter/accept-mux.ts';

/** A backend that can be stopped. */
export interface Backend {
  readonly url: string;
  stop(): void;
}

const port = 9_001;

/** Answers JSON-RPC after some milliseconds, mostly few; `slowness` multiplies them. */
export function startRpcBackend(host: string, slowness: number): Promise<Backend> {
  return start(host, new WebSocketServer({ host, port }), (socket, data) => {
    const { id, method } = JSON.parse(textOf(data)) as { readonly id: number; readonly method: string };
    const answer = JSON.stringify({ jsonrpc: '2.0', id, result: { method, tools } });
    const delayMs = slowness * (8 - Math.log(Math.random()) * 12);
    setTimeout(() => socket.readyState === socket.OPEN && socket.send(answer), delayMs);
  });
}

/** Says what it hears. */
export function startEchoBackend(host: string): Promise<Backend> {
  return start(host, new WebSocketServer({ host, port }), echo);
}

/** The same, for clients that come as streams of mux mode. */
export function startMuxBackend(host: string): Promise<Backend> {
  return start(host, acceptMux(new WebSocketServer({ host, port })), echo);
}

const tools = ['orders', 'customers', 'invoices', 'shipments', 'products', 'returns'].map((name) => ({
  name: `${name}/find`,
  description: `Finds ${name} by what is known of them; at most 50 in one answer, the newest first.`,
  inputSchema: { type: 'object', properties: { text: { type: 'string' }, cursor: { type: 'string' } } },
}));

async function start(
  host: string,
  server: WebSocketServer,
  onMessage: (socket: WebSocket, data: RawData, isBinary: boolean) => void,
): Promise<Backend> {
  server.on('connection', (socket) => {
    socket.on('error', () => undefined);
    socket.on('message', (data, isBinary) => onMessage(socket, data, isBinary));
  });
  await once(server, 'listening');
  const stop = (): void => {
    for (const socket of server.clients) socket.terminate();
    server.close();
  };
  return { url: `ws://${host}:${port}`, stop };
}

function echo(socket: WebSocket, data: RawData, isBinary: boolean): void {
  socket.send(data, { binary: isBinary });
}

function textOf(data: RawData): string {
  return Array.isArray(data) ? Buffer.concat(data).toString() : Buffer.from(data as Buffer).toString();
}
