import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startDocsExample } from './support/docs-example.ts';

it('runs the back end of docs/codecs.md, which answers JSON-RPC and agrees to a codec', async () => {
  const { url } = await startDocsExample('codecs.md', 'backend.mjs');
  const { reply, codec } = await ask(url, { jsonrpc: '2.0', id: 'a', method: 'echo', params: [1, 2] });
  expect(reply).toEqual({ jsonrpc: '2.0', id: 'a', result: [1, 2] });
  expect(codec).toBe('gzip');
});

/** Asks in plain text over a connection with a codec; small replies come as plain text as well. */
function ask(url: string, request: object): Promise<{ reply: unknown; codec: unknown }> {
  return new Promise((done, fail) => {
    const socket = new WebSocket(url, 'wsluice.gzip');
    let codec: unknown;
    socket.on('error', fail);
    socket.on('upgrade', ({ headers }) => (codec = headers['wsluice-codec']));
    socket.on('open', () => socket.send(JSON.stringify(request)));
    socket.on('message', (data: Buffer) => {
      socket.close();
      done({ reply: JSON.parse(data.toString()), codec });
    });
  });
}
