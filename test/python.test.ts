import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from './support/child.ts';
import { CHECKOUT, startGateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { startSessionBackend } from './support/session-backend.ts';

it('serves Python websockets: echo, binary, JSON-RPC ids, subprotocol and close code', async () => {
  const echo = await startSessionBackend({ handleProtocols: () => 'second' });
  const rpc = await startJsonRpcBackend();
  const gateway = await startGateway({
    config: {
      routes: [
        { path: '/ws', pool: 'echo' },
        { path: '/rpc', pool: 'rpc' },
      ],
      pools: {
        echo: { mode: 'session', upstreams: [echo.url] },
        rpc: { mode: 'request', upstreams: [rpc.url] },
      },
    },
  });
  // Debian's interpreter, whichever python3 comes first in PATH: the module belongs to it.
  const script = join(CHECKOUT, 'test/fixtures/client.py');
  const python = startChild('/usr/bin/python3', [script, gateway.url, gateway.at('/rpc')]);
  expect(await python.exited, python.output()).toBe(0);
  expect(JSON.parse(python.output())).toEqual({
    text: 'text é',
    binary: [0, 255, 7],
    large: true,
    pong: true,
    close: [4321, 'from the backend'],
    subprotocol: 'second',
    replies: [
      ['1', ['1']],
      [1, [1]],
    ],
  });
});
