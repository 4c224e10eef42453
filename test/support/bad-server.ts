import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { onTearDown } from './tear-down.ts';

/** Starts a TCP server that does with each connection what it is told to; returns its WebSocket address. It stops when the test file ends. */
export async function startBadServer(treat: (socket: Socket) => void): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).once('close', () => sockets.delete(socket));
    treat(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTearDown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws`;
}
