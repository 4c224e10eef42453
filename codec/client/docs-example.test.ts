import { execFile } from 'node:child_process';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { tempDir } from '../../test/support/temp-dir.ts';
import { startWireServer } from './wire-server.fixture.ts';

const root = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(root, 'docs/client.md'), 'utf8');

it('runs the example of docs/client.md, which prints what the page says', async () => {
  const server = await startWireServer();
  const example = /```js\n(\/\/ client\.mjs\n.*?)```/s.exec(page)![1]!;
  const promised = /prints `(.*?)`/.exec(page)![1]!;
  const project = tempDir();
  symlinkSync(join(root, 'node_modules'), join(project, 'node_modules'));
  const source = join(import.meta.dirname, 'codec-web-socket.ts');
  writeFileSync(
    join(project, 'client.mjs'),
    example.replace("'wsluice/client'", JSON.stringify(source)).replace('ws://127.0.0.1:8080/ws', server.url),
  );
  const { stdout } = await promisify(execFile)(process.execPath, ['client.mjs'], { cwd: project });
  expect(stdout.trim()).toBe(promised);
  expect(server.requests).toEqual(['/ws?codec=zstd']);
  expect(server.received[0]!.flags).toBe(3);
});
