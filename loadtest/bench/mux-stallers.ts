import { connect } from 'node:net';

/** Clients that ask a mux backend for a flood and read none of it, and come back when they are closed: `mux-stallers.ts <port> <count>`. */
const [port, count] = process.argv.slice(2).map(Number) as [number, number];
const comeBackAfterMs = 100;

const request = [
  'GET /ws?stall HTTP/1.1',
  `Host: 127.0.0.1:${port}`,
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  '\r\n',
].join('\r\n');

for (let n = 0; n < count; n++) stall();
process.on('disconnect', () => process.exit(0));

function stall(): void {
  const socket = connect(port, '127.0.0.1', () => {
    socket.write(request);
    socket.pause();
  });
  socket.on('error', () => undefined);
  socket.once('close', () => setTimeout(stall, comeBackAfterMs));
}
