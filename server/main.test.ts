import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from '../test/support/child.ts';
import { eventually } from '../test/support/eventually.ts';
import { configFile } from '../test/support/gateway.ts';

/** Makes a process say at its end what it has loaded: files and packages by their URL, Node's own parts by their name. */
const recorder = `data:text/javascript,${encodeURIComponent(`
  import { writeSync } from 'node:fs';
  import { registerHooks } from 'node:module';
  const loaded = [];
  registerHooks({ load: (url, context, next) => { loaded.push(url); return next(url, context); } });
  process.on('exit', () => writeSync(2, [...loaded, ...process.moduleLoadList].join('\\n')));
`)}`;

/** What `wsluice` loads until it is ready, or has ended. */
async function loadedBy(...args: string[]): Promise<string> {
  const flags = ['--disable-warning=ExperimentalWarning', '--import', recorder];
  const child = startChild(process.execPath, [...flags, join(import.meta.dirname, 'main.ts'), ...args]);
  const isDone = (): boolean => child.hasExited() || child.output().includes('wsluice is ready');
  await eventually(() => expect(isDone(), child.output()).toBe(true), 25_000);
  expect(await child.stop('SIGTERM', 30_000), child.output()).toBe(0);
  return child.output();
}

const anyPorts = ['--host', '127.0.0.1', '--port', '0', '--admin-port', '0'];
const [ioredis, yaml, prettyLog] = ['/ioredis/', '/node_modules/yaml/', '/pino-pretty/'];
/** Node's `fetch`, which whoever imports `node:http` loads too. */
const fetchOfNode = 'internal/deps/undici/undici';

it('loads for a start what this start needs, and nothing for other settings or commands', async () => {
  const loaded = await loadedBy('serve', ...anyPorts);
  for (const needed of ['/server/gateway.ts', 'NativeModule http']) expect(loaded).toContain(needed);
  const unused = [
    ioredis,
    yaml,
    prettyLog,
    fetchOfNode,
    '/commands/top.ts',
    '/modes/request.ts',
    '/modes/mux.ts',
  ];
  for (const other of unused) expect(loaded).not.toContain(other);
});

it('loads what the configuration asks for', async () => {
  const pools = { main: { mode: 'request', upstreams: ['ws://127.0.0.1:1'] } };
  const file = configFile({ redis: { url: 'redis://127.0.0.1:1' }, pools });
  const loaded = await loadedBy('serve', ...anyPorts, '--config', file);
  for (const needed of [ioredis, yaml, '/modes/request.ts']) expect(loaded).toContain(needed);
});

it('loads no gateway to check a file', async () => {
  const loaded = await loadedBy('check', configFile({ listen: { port: 1 } }));
  expect(loaded).toContain(yaml);
  for (const other of ['/server/gateway.ts', '/node_modules/pino/', 'uWebSockets.js'])
    expect(loaded).not.toContain(other);
});
