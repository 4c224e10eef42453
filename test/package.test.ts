import { execFile } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
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
  await run('npm', ['pack', '--silent', '--pack-destination', project], { cwd: root });
  const tarball = join(project, `wsluice-${manifest.version}.tgz`);
  packed = (await run('tar', ['-tzf', tarball])).stdout.trim().split('\n').sort();
  await installTarball(tarball);
}, 120_000);

test('packs the build, the docs and the front pages, and no tests', () => {
  expect(packed).toEqual(
    expect.arrayContaining(
      [
        'LICENSE',
        'README.md',
        'CHANGELOG.md',
        'ARCHITECTURE.md',
        'docs/config.schema.json',
        'dist/server/main.js',
      ]
        .concat('dist/server/gateway.js', 'dist/server/gateway.d.ts')
        .map((file) => `package/${file}`),
    ),
  );
  expect(
    packed.filter((file) =>
      /\.(test|bench|contract|fixture)\.|^package\/(test|loadtest|scripts)\//.test(file),
    ),
  ).toEqual([]);
});

test('runs as a command on the node of the machine', async () => {
  const { stdout } = await run('wsluice', ['--help'], { cwd: project, env });
  expect(stdout).toContain('Usage: wsluice');
  expect((await run('wsluice', ['--version'], { cwd: project, env })).stdout.trim()).toBe(manifest.version);
});

test('brings the client and the adapter', async () => {
  writeFileSync(
    join(project, 'both.mjs'),
    `import { CodecWebSocket } from 'wsluice/client';
     import { CodecServer } from 'wsluice/adapter';
     console.log(typeof CodecWebSocket, typeof CodecServer);`,
  );
  const { stdout } = await run('node', ['both.mjs'], { cwd: project, env });
  expect(stdout.trim()).toBe('function function');
});

test('is a library: createGateway from plain JavaScript', async () => {
  writeFileSync(
    join(project, 'use.mjs'),
    `import { createGateway } from 'wsluice'; console.log(typeof createGateway);`,
  );
  const { stdout } = await run('node', ['use.mjs'], { cwd: project, env });
  expect(stdout.trim()).toBe('function');
});

test('is a library: with types that a strict project compiles against', async () => {
  writeFileSync(
    join(project, 'use.mts'),
    `import { createGateway } from 'wsluice';\nexport const create: (...args: never[]) => object = createGateway;\n`,
  );
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023', '--types', 'node'];
  await run(join(root, 'node_modules/.bin/tsc'), [...flags, 'use.mts'], { cwd: project }).catch(
    (error: unknown) => {
      throw new Error((error as { stdout: string }).stdout);
    },
  );
}, 120_000);

/** What `npm install <tarball>` does, with this checkout's copies of what package.json lists under dependencies. */
async function installTarball(tarball: string): Promise<void> {
  const modules = join(project, 'node_modules');
  const installed = join(modules, 'wsluice');
  mkdirSync(installed, { recursive: true });
  mkdirSync(join(modules, '.bin'));
  await run('tar', ['-xzf', tarball, '-C', installed, '--strip-components=1']);
  for (const name of [...Object.keys(manifest.dependencies), '@types/node']) {
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
