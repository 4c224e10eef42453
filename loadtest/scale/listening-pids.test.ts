import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { listeningPids } from './listening-pids.ts';

it('finds who listens on a port, and nobody once it is closed', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  expect(listeningPids(port)).toEqual([process.pid]);
  await new Promise((resolve) => server.close(resolve));
  expect(listeningPids(port)).toEqual([]);
});
