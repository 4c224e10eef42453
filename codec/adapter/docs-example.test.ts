import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { startChild } from '../../test/support/child.ts';
import { eventually } from '../../test/support/eventually.ts';
import { freePort } from '../../test/support/free-port.ts';
import { tempDir } from '../../test/support/temp-dir.ts';

const root = resolve(import.meta.dirname, '../..');

it('runs the back end of docs/codecs.md, which answers JSON-RPC and agrees to a codec', async () => {
  const port = await freePort();
  const page = readFileSync(join(root, 'docs/codecs.md'), 'utf8');
  const example = /```js\n(\/\/ backend\.mjs\n.*?)```/s.exec(page)![1]!;
  const project = tempDir();
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  const source = JSON.stringify(join(import.meta.dirname, 'ws.ts'));
  writeFileSync(
    join(project, 'backend.mjs'),
    example.replace("'wsluice/adapter'", source).replace('9001', String(port)),
  );
  startChild(process.execPath, ['--disable-warning=ExperimentalWarning', join(project, 'backend.mjs')]);
  await eventually(async () => {
    const { reply, codec } = await ask(port, { jsonrpc: '2.0', id: 'a', method: 'echo', params: [1, 2] });
    expect(reply).toEqual({ jsonrpc: '2.0', id: 'a', result: [1, 2] });
    expect(codec).toBe('gzip');
  });
});

/** Asks in plain text over a connection with a codec; small replies come as plain text as well. */
function ask(port: number, request: object): Promise<{ reply: unknown; codec: unknown }> {
  return new Promise((done, fail) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'wsluice.gzip');
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
