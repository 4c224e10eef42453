/** `npm run build`: dist/ as it is published, JavaScript and types, with the files that are neither. */
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const folders = ['server', 'pool', 'codec', 'ratelimit', 'metrics'];

rmSync(dist, { recursive: true, force: true });
const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
for (const project of ['tsconfig.build.json', 'tsconfig.page.json']) {
  const { status } = spawnSync(process.execPath, [compiler, '-p', project], { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

for (const folder of folders.filter((name) => existsSync(join(root, name)))) {
  cpSync(join(root, folder), join(dist, folder), { recursive: true, filter: isPublishedAsset });
}

const command = join(dist, 'server', 'main.js');
if (!readFileSync(command, 'utf8').startsWith('#!'))
  throw new Error('bug: dist/server/main.js lost its shebang');
chmodSync(command, 0o755);

/** Folders, and the files in them that are neither TypeScript, nor for its compiler or tests, nor published where they lie. */
function isPublishedAsset(path: string): boolean {
  const isElsewhere = /\/(fixtures|__snapshots__|metrics\/(grafana|prometheus))(\/|$)/.test(path);
  return !isElsewhere && !/\.ts$|\/tsconfig\.json$/.test(path);
}
