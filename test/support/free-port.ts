import { createServer } from 'node:net';

// Below the range the kernel takes outgoing ports from: a port found there is not lost to a client's connection before it is used.
const LOWEST_PORT = 12_000;
const PORT_COUNT = 20_000;

/** A loopback TCP port that nothing listened on a moment ago. Throws when 50 tries in a row were taken. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 50; tries++) {
    const port = LOWEST_PORT + Math.floor(Math.random() * PORT_COUNT);
    if (await isFree(port)) return port;
  }
  throw new Error('no free port in 50 tries');
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
