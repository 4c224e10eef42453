import { WebSocketServer } from 'ws';

/** An echo with the package ws, in a process of its own: `ws-echo.ts <port>`. Compression is off, as in all others. */
const server = new WebSocketServer({
  host: '127.0.0.1',
  port: Number(process.argv[2]),
  perMessageDeflate: false,
});

server.on('connection', (client) => {
  client.on('message', (data, isBinary) => client.send(data, { binary: isBinary }));
  client.on('error', () => undefined);
});
process.on('disconnect', () => process.exit(0));
