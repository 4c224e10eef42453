import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** What is compiled: JavaScript of the package, and the files between it that are neither. */
export const packageFolders = ['server', 'pool', 'codec', 'ratelimit', 'metrics'] as const;
/** How it is compiled, besides the `tsconfig.json` files. */
export const compilerProjects = ['tsconfig.build.json', 'tsconfig.page.json'] as const;

/** Compiles the package into `outDir`, which holds nothing yet; throws with what the compiler says. With `types: false` it neither checks nor declares any, which is quicker. */
export function compilePackage(outDir: string, { types }: { readonly types: boolean }): void {
  const untyped = types ? [] : ['--noCheck', '--declaration', 'false'];
  for (const project of compilerProjects) {
    const args = [compilerFile(), '-p', project, '--outDir', outDir, ...untyped];
    const { status, error, stdout } = spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8' });
    if (status !== 0) throw new Error(`${project} does not compile:\n${error?.message ?? stdout}`);
  }
  for (const folder of packageFolders)
    cpSync(join(root, folder), join(outDir, folder), { recursive: true, filter: isPublishedAsset });
  const command = join(outDir, 'server', 'main.js');
  if (!readFileSync(command, 'utf8').startsWith('#!')) throw new Error(`bug: ${command} lost its shebang`);
  chmodSync(command, 0o755);
}

/** `tsc` of TypeScript 7; `node_modules/.bin/tsc` is of another version, whose API dependency-cruiser needs. */
function compilerFile(): string {
  const manifest = createRequire(import.meta.url).resolve('typescript-7/package.json');
  return join(dirname(manifest), 'bin', 'tsc');
}

/** Folders, and the files in them that are neither TypeScript, nor for its compiler or tests, nor published where they lie. */
function isPublishedAsset(path: string): boolean {
  const isElsewhere = /\/(fixtures|__snapshots__|metrics\/(grafana|prometheus))(\/|$)/.test(path);
  return !isElsewhere && !/\.ts$|\/tsconfig\.json$/.test(path);
}
