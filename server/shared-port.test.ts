import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { answersAt } from './shared-port.ts';

it.each([
  ['127.0.0.1', '127.0.0.1'],
  ['0.0.0.0', '0.0.0.0'],
  ['127.0.0.1', 'localhost'],
])('something that listens on %s is noticed at %s, until it is gone', async (listens, asked) => {
  const server = createServer().listen(0, listens);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  expect(await answersAt(asked, port)).toBe(true);
  server.close();
  await once(server, 'close');
  expect(await answersAt(asked, port)).toBe(false);
});

it('a port that is yet to be chosen is shared with nobody', async () => {
  expect(await answersAt('127.0.0.1', 0)).toBe(false);
});
