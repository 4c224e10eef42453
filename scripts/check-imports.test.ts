import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const repository = fileURLToPath(new URL('..', import.meta.url));

/** A repository in small: per file the modules it imports, and for `type …` only their types. */
const tree: Record<string, string[]> = {
  'server/gateway.ts': ['../pool/pool.ts', '../codec/codec.ts', './listener.ts'],
  'server/listener.ts': ['uWebSockets.js'],
  'server/listener.test.ts': ['./listener.ts', 'ws', '../test/client.ts'],
  'server/drain.ts': ['uWebSockets.js'],
  'server/lane.ts': ['type ./heartbeat.ts'],
  'server/heartbeat.ts': ['type ./lane.ts'],
  'server/clock.ts': ['../test/client.ts'],
  'server/log.ts': ['type ./log.contract.ts'],
  'server/log.contract.ts': ['./log.fixture.ts'],
  'server/log.fixture.ts': ['ws'],
  'pool/pool.ts': ['type ../server/gateway.ts'],
  'pool/breaker.ts': ['../metrics/counters.ts'],
  'pool/queue.ts': ['type ../codec/codec.ts', './gone.ts'],
  'codec/codec.ts': ['../ratelimit/limiter.ts'],
  'ratelimit/limiter.ts': ['ws'],
  'metrics/counters.ts': ['type ../codec/codec.ts'],
  'test/client.ts': ['uWebSockets.js', 'ws'],
};

const expected = [
  'codec-is-a-leaf: codec/codec.ts → ratelimit/limiter.ts',
  'engine-behind-the-listener: server/drain.ts → node_modules/uWebSockets.js/index.js',
  'metrics-is-a-leaf: metrics/counters.ts → codec/codec.ts',
  'no-cycles: pool/pool.ts → server/gateway.ts',
  'no-cycles: server/heartbeat.ts → server/lane.ts',
  'no-dev-dependency-in-production: ratelimit/limiter.ts → node_modules/ws/index.js',
  'no-missing-file: pool/queue.ts → ./gone.ts',
  'no-test-code-in-production: server/clock.ts → test/client.ts',
  'no-test-code-in-production: server/log.ts → server/log.contract.ts',
  'pool-is-a-leaf: pool/breaker.ts → metrics/counters.ts',
  'pool-is-a-leaf: pool/pool.ts → server/gateway.ts',
  'pool-is-a-leaf: pool/queue.ts → codec/codec.ts',
];

let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'wsluice-imports-'));
  write(
    'package.json',
    JSON.stringify({ dependencies: { 'uWebSockets.js': '*' }, devDependencies: { ws: '*' } }),
  );
  for (const name of ['uWebSockets.js', 'ws']) {
    write(`node_modules/${name}/package.json`, JSON.stringify({ name, main: 'index.js' }));
    write(`node_modules/${name}/index.js`, '');
  }
  for (const [path, modules] of Object.entries(tree)) write(path, modules.map(importLine).join('\n'));
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

test('reports every broken rule, and nothing that is allowed', async () => {
  expect(await violations()).toEqual(expected);
}, 30_000);

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
}

function importLine(module: string, index: number): string {
  const name = `Part${String(index)}`;
  return module.startsWith('type ')
    ? `import type { ${name} } from '${module.slice(5)}';\nexport type Use${name} = ${name};`
    : `import * as ${name} from '${module}';\nconsole.log(${name});`;
}

interface Report {
  readonly summary: { readonly violations: { from: string; to: string; rule: { name: string } }[] };
}

function violations(): Promise<string[]> {
  const config = join(repository, '.dependency-cruiser.cjs');
  const args = [
    '--config',
    config,
    '--output-type',
    'json',
    '{server,pool,codec,ratelimit,metrics,test}/**/*.ts',
  ];
  return new Promise((resolve) => {
    execFile(join(repository, 'node_modules/.bin/depcruise'), args, { cwd: folder }, (_error, stdout) => {
      const report = JSON.parse(stdout) as Report;
      resolve(report.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`).sort());
    });
  });
}
