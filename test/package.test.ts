import { execFile } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { startChild, waitForPort } from './support/child.ts';
import { docsPages, type Fence } from './support/docs/page.ts';
import { freePort } from './support/free-port.ts';
import { tempDir } from './support/temp-dir.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly version: string;
  readonly dependencies: Record<string, string>;
};
const project = tempDir();
/** The machine's own node and the project's programs, nothing of this checkout. */
const env = { ...process.env, PATH: userPath() };
let packed: string[] = [];

beforeAll(async () => {
  await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: copyOfCheckout() });
  const tarball = join(project, `wsluice-${manifest.version}.tgz`);
  packed = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n').sort();
  await installTarball(tarball);
}, 300_000);

test('packs the build, the docs and the front pages, and no tests', () => {
  expect(packed).toEqual(
    expect.arrayContaining(
      [
        'LICENSE',
        'README.md',
        'CHANGELOG.md',
        'ARCHITECTURE.md',
        'docs/config.schema.json',
        'sysctl/wsluice@.service',
        'dist/server/main.js',
      ]
        .concat('dist/server/gateway.js', 'dist/server/gateway.d.ts')
        .concat('metrics/grafana/wsluice.json', 'metrics/prometheus/alerts.yml', 'nginx/wsluice.conf')
        .map((file) => `package/${file}`),
    ),
  );
  expect(
    packed.filter((file) =>
      /\.(test|bench|contract|fixture)\.|^package\/(test|loadtest|scripts|dist\/metrics\/(grafana|prometheus))\//.test(
        file,
      ),
    ),
  ).toEqual([]);
});

test('runs as a command on the node of the machine', async () => {
  const { stdout } = await run('wsluice', ['--help'], { cwd: project, env });
  expect(stdout).toContain('Usage: wsluice');
  expect((await run('wsluice', ['--version'], { cwd: project, env })).stdout.trim()).toBe(manifest.version);
});

test('has wsluice top on the node of the machine', async () => {
  const top = run('wsluice', ['top', '--admin', 'http://127.0.0.1:1'], { cwd: project, env });
  await expect(top).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining('nothing listens there') as string,
  });
});

test('brings the client and the adapters', async () => {
  writeFileSync(
    join(project, 'all.mjs'),
    `import { CodecWebSocket } from 'wsluice/client';
     import { CodecServer } from 'wsluice/adapter';
     import { acceptMux } from 'wsluice/mux';
     console.log(typeof CodecWebSocket, typeof CodecServer, typeof acceptMux);`,
  );
  const { stdout } = await run('node', ['all.mjs'], { cwd: project, env });
  expect(stdout.trim()).toBe('function function function');
});

test('brings an adapter for mux that needs nothing but itself', async () => {
  const alone = tempDir();
  cpSync(join(project, 'node_modules/wsluice'), join(alone, 'node_modules/wsluice'), { recursive: true });
  writeFileSync(
    join(alone, 'mux.mjs'),
    `import { acceptMux } from 'wsluice/mux'; console.log(acceptMux.name);`,
  );
  const { stdout } = await run('node', ['mux.mjs'], { cwd: alone, env });
  expect(stdout.trim()).toBe('acceptMux');
});

test('brings the live page, compiled, with all that it loads', async () => {
  const [port, adminPort] = [await freePort(), await freePort()];
  const args = ['--host', '127.0.0.1', '--port', String(port), '--admin-port', String(adminPort)];
  const gateway = startChild('wsluice', args, { cwd: project, env });
  await waitForPort(gateway, adminPort, 60_000);
  const admin = `http://127.0.0.1:${adminPort}/`;
  const waiting = [admin];
  const types = new Map<string, string | null>();
  for (const url of waiting) {
    const response = await fetch(url);
    expect([url, response.status]).toEqual([url, 200]);
    types.set(url.slice(admin.length), response.headers.get('content-type'));
    const found = (await response.text()).matchAll(
      /(?:src|href)="([^"]+)"|^import [^"'\n]*["']([^"'\n]+)["']/gm,
    );
    const urls = Array.from(found, ([, asset, module]) => new URL(asset ?? module!, url).href);
    waiting.push(...urls.filter((one) => !waiting.includes(one)));
  }
  expect([...types.keys()].filter((name) => name.endsWith('.ts'))).toEqual([]);
  expect(Object.fromEntries(types)).toMatchObject({
    '': 'text/html; charset=utf-8',
    'page/main.js': 'text/javascript; charset=utf-8',
    'page/time-chart.js': 'text/javascript; charset=utf-8',
    'page/uPlot.iife.min.js': 'text/javascript; charset=utf-8',
    'page/uPlot.min.css': 'text/css; charset=utf-8',
  });
  await gateway.stop('SIGKILL');
}, 90_000);

test('is a library: createGateway from plain JavaScript', async () => {
  writeFileSync(
    join(project, 'use.mjs'),
    `import { createGateway } from 'wsluice'; console.log(typeof createGateway);`,
  );
  const { stdout } = await run('node', ['use.mjs'], { cwd: project, env });
  expect(stdout.trim()).toBe('function');
});

test('is a library: with types that a strict project compiles against, its own and those of ws', async () => {
  writeFileSync(
    join(project, 'use.mts'),
    `import { createGateway } from 'wsluice';\nexport const create: (...args: never[]) => object = createGateway;\n`,
  );
  writeFileSync(
    join(project, 'mux.mts'),
    `import type { IncomingMessage } from 'node:http';
     import { WebSocketServer, type WebSocket } from 'ws';
     import { useServer } from 'graphql-ws/use/ws';
     import { acceptMux } from 'wsluice/mux';
     const server: WebSocketServer = acceptMux(new WebSocketServer({ port: 9001 }), { windowBytes: 65_536 });
     acceptMux(server, (socket: WebSocket, request: IncomingMessage) => socket.send(request.url ?? ''));
     acceptMux(server, (socket) => socket.ping());
     useServer({}, acceptMux(new WebSocketServer({ noServer: true })));\n`,
  );
  await compile('use.mts', 'mux.mts', ...writeSnippets());
}, 120_000);

/** What the snippets of the docs take for granted. */
const surroundings = {
  gateway: "declare const gateway: Awaited<ReturnType<typeof import('wsluice').createGateway>>;",
  config:
    "declare const config: NonNullable<NonNullable<Parameters<typeof import('wsluice').createGateway>[0]>['config']>;",
  server: "declare const server: import('ws').WebSocketServer;",
  acceptMux: "import { acceptMux } from 'wsluice/mux';",
};

/** Writes the snippets of the docs that no command of theirs runs, and returns their files. */
function writeSnippets(): string[] {
  const isSnippet = ({ language, text }: Fence): boolean =>
    language === 'ts' || (language === 'js' && !/^\/\/ \S+\.m?js$/m.test(text.split('\n', 1)[0]!));
  const snippets = docsPages().flatMap(({ fences }) => fences.filter(isSnippet));
  expect(snippets.length).toBeGreaterThan(2);
  return snippets.map(({ text }, n) => {
    const brings = (name: string): boolean =>
      text.includes(`const ${name} =`) || text.includes(`{ ${name} }`);
    const assumed = Object.entries(surroundings).filter(([name]) => !brings(name));
    writeFileSync(
      join(project, `snippet-${n}.mts`),
      `${text}\n${assumed.map(([, line]) => line).join('\n')}\nexport {};`,
    );
    return `snippet-${n}.mts`;
  });
}

/** Compiles files of the project, as strictly as can be; throws with what is wrong. */
async function compile(...files: string[]): Promise<void> {
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  await run(join(root, 'node_modules/typescript/bin/tsc'), [...flags, ...files], { cwd: project }).catch(
    (error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    },
  );
}

/** Packing builds `dist/` anew, and that of the checkout may be in use. */
function copyOfCheckout(): string {
  const copy = tempDir();
  const isCopied = (path: string): boolean =>
    !/^\/(?:.*\/)?(?:node_modules|dist|\.git)$/.test(path.slice(root.length));
  cpSync(root, copy, { recursive: true, filter: isCopied });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** What `npm install <tarball>` does, with this checkout's copies of what package.json lists under dependencies. */
async function installTarball(tarball: string): Promise<void> {
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'wsluice');
  mkdirSync(installed, { recursive: true });
  mkdirSync(join(modules, '.bin'));
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  const ofTheTests = ['@types/node', 'ws', '@types/ws', 'graphql', 'graphql-ws'];
  for (const name of [...Object.keys(manifest.dependencies), ...ofTheTests]) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  const command = join(installed, 'dist/server/main.js');
  chmodSync(command, 0o755);
  symlinkSync(command, join(modules, '.bin/wsluice'));
}

function userPath(): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  return [join(project, 'node_modules/.bin'), ...folders.filter((x) => !x.includes('node_modules'))].join(
    delimiter,
  );
}
