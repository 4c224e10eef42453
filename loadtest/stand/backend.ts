import { App } from 'uWebSockets.js';
import { replyTo } from './jsonrpc-echo.ts';

/** A bare uWebSockets.js server in a process of its own: `backend.ts <port> echo|jsonrpc`. It listens when it is told to. */
const [port, protocol] = process.argv.slice(2);
const speaksJsonRpc = protocol === 'jsonrpc';
const openByPath = new Map<string, number>();

const app = App();
app.ws<{ path: string }>('/*', {
  idleTimeout: 0,
  maxPayloadLength: 1 << 20,
  maxBackpressure: 64 << 20,
  upgrade(res, req, context) {
    res.upgrade(
      { path: req.getUrl() },
      req.getHeader('sec-websocket-key'),
      '',
      req.getHeader('sec-websocket-extensions'),
      context,
    );
  },
  open: (ws) => count(ws.getUserData().path, 1),
  close: (ws) => count(ws.getUserData().path, -1),
  // The engine corks all replies to one chunk of received bytes by itself.
  message(ws, message, isBinary) {
    ws.send(speaksJsonRpc ? replyTo(new Uint8Array(message)) : message, isBinary);
  },
});

process.on('disconnect', () => process.exit(0));
process.on('message', (order) => {
  if (order === 'listen') listen();
  else process.send!(Object.fromEntries(openByPath));
});

function listen(): void {
  app.listen('127.0.0.1', Number(port), (socket) => {
    if (!socket) throw new Error(`port ${port} is taken`);
  });
}

function count(path: string, change: number): void {
  openByPath.set(path, (openByPath.get(path) ?? 0) + change);
}
