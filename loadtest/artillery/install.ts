import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { takeLock } from './install-lock.ts';

const folder = fileURLToPath(new URL('../', import.meta.url));
const program = `${folder}node_modules/artillery/bin/run`;
/** npm writes it last. */
const complete = `${folder}node_modules/.package-lock.json`;
const lockFile = `${folder}.installing`;
const saysEveryMs = 10_000;
const shownLines = 12;

export interface InstallOptions {
  readonly say: (line: string) => void;
}

/** True when artillery, its engine and all they need are there. */
export function artilleryIsInstalled(): boolean {
  return existsSync(program) && existsSync(complete);
}

/** Returns artillery's program, which it installs first where it is missing; throws with npm's own words when that fails. */
export async function installedArtillery({ say }: InstallOptions): Promise<string> {
  if (artilleryIsInstalled()) return program;
  const unlock = await takeLock({
    file: lockFile,
    onWait: (pid) => say(`another run installs artillery (process ${pid}); this one waits for it`),
  });
  try {
    if (!artilleryIsInstalled()) await install(say);
  } finally {
    unlock();
  }
  return program;
}

async function install(say: InstallOptions['say']): Promise<void> {
  say('artillery is not installed yet: npm ci in loadtest/ does it now, once (about 470 MB)');
  const startedMs = performance.now();
  const seconds = (): string => `${((performance.now() - startedMs) / 1_000).toFixed(0)} s`;
  const timer = setInterval(() => say(`  installing artillery … ${seconds()}`), saysEveryMs);
  const failure = await npmCi().finally(() => clearInterval(timer));
  if (failure !== undefined)
    throw new Error(
      `artillery could not be installed: npm ci --ignore-scripts in ${folder} failed\n${failure}\n` +
        'it is fetched from the npm registry; try that command by hand',
    );
  say(`installed artillery in ${seconds()}`);
}

/** Resolves to undefined, or to what npm said last. */
function npmCi(): Promise<string | undefined> {
  // Under `npm run` npm says which one it is; its scripts may run on a node that is not the first in PATH.
  const npm = process.env['npm_execpath'];
  const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund'];
  const [command, all] = npm === undefined ? ['npm', args] : [process.execPath, [npm, ...args]];
  const path = [dirname(process.execPath), process.env['PATH'] ?? ''].join(delimiter);
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, all, {
      cwd: folder,
      env: { ...process.env, PATH: path },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, signal) => {
      if (code === 0 && artilleryIsInstalled()) resolve(undefined);
      else resolve(`${lastLines(output)}\n(${signal ?? `exit code ${code}`})`);
    });
  });
}

function lastLines(output: string): string {
  return output.trimEnd().split('\n').slice(-shownLines).join('\n');
}
