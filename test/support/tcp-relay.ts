import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { onTearDown } from './tear-down.ts';

/** Passes TCP connections on to a loopback port, and counts. */
export interface TcpRelay {
  readonly url: string;
  /** Bytes passed on so far, both ways together. */
  bytes(): number;
}

/** Starts a relay to a port; it is stopped when the test file ends. */
export async function startTcpRelay(port: number, path = '/ws'): Promise<TcpRelay> {
  const sockets = new Set<Socket>();
  let bytes = 0;
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (chunk) => (bytes += chunk.length));
    from.on('error', () => to.destroy());
    from.on('close', () => {
      sockets.delete(from);
      to.destroy();
    });
    from.pipe(to);
  };
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    pass(near, far);
    pass(far, near);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTearDown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}${path}`, bytes: () => bytes };
}
