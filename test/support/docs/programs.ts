import { chmodSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { hasPrograms, isExecutable } from '../../parts/parts.ts';
import { exportedFile, wsluiceCommand } from '../program/wsluice.ts';
import { tempDir } from '../temp-dir.ts';
import type { Page } from './page.ts';

const root = resolve(import.meta.dirname, '../../..');

/** A user's checkout, as far as commands look into it, with the dependencies installed, and the page's programs in it: its `js` blocks that begin with `// <name>`. */
export function projectOf(page: Page, rewritePorts: (text: string) => string): string {
  const dir = tempDir();
  for (const name of ['node_modules', 'docs', 'loadtest', 'metrics', 'nginx', 'sysctl'])
    if (existsSync(join(root, name))) symlinkSync(join(root, name), join(dir, name));
  for (const { language, text } of page.fences) {
    const name = language === 'js' ? /^\/\/ (\S+\.m?js)$/m.exec(text.split('\n', 1)[0]!)?.[1] : undefined;
    if (name !== undefined) writeFileSync(join(dir, name), withExports(rewritePorts(text)));
  }
  return dir;
}

/** The source of a program of the page; undefined where the project has none of that name. */
export function programIn(dir: string, name: string): string | undefined {
  const file = join(dir, name);
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
}

/** With the package's name replaced by the compiled files that it exports. */
export function withExports(program: string): string {
  return program.replace(/'(wsluice(?:\/\w+)?)'/g, (name, exported: string) => {
    const file = exportedFile(exported);
    return file === undefined ? name : JSON.stringify(file);
  });
}

/**
 * A folder of commands that stand before those of the machine. `npm ci` and `npm install` do nothing, for what they bring is there; `npm test`
 * and `npm run …` are only noted in `~/npm-calls`. `npm start` and `npx wsluice` are the gateway of this checkout, compiled. `wscat` says one word
 * and goes, where a person would type. `curl` fails on what is no success,
 * unless it prints the status.
 */
export function standInCommands(): string {
  const dir = join(tempDir(), 'bin');
  mkdirSync(dir);
  const node = `exec ${quoted(process.execPath)} --disable-warning=ExperimentalWarning`;
  const wscat = join(root, 'node_modules/.bin/wscat');
  const commands: Record<string, string> = {
    node: `${node} "$@"`,
    wsluice: `exec ${wsluiceCommand().map(quoted).join(' ')} "$@"`,
    npm: `case "$1" in
  ci|install) ;;
  start) shift; [ "\${1-}" != --silent ] || shift; [ "\${1-}" != -- ] || shift; exec wsluice "$@" ;;
  *) echo "$*" >> "$HOME/npm-calls" ;;
esac`,
    npx: 'exec "$@"',
    wscat: `case " $* " in
  *' -x '*) ${node} ${quoted(wscat)} "$@" ;;
  *) ${node} ${quoted(wscat)} "$@" -x hello -w 1 ;;
esac`,
    curl: `case " $* " in
  *' -sf '*|*' -w '*) exec ${quoted(onPath('curl'))} "$@" ;;
  *) exec ${quoted(onPath('curl'))} --fail-with-body "$@" ;;
esac`,
  };
  if (hasPrograms('prometheus'))
    commands['prometheus'] =
      `exec ${quoted(onPath('prometheus'))} "$@" --web.listen-address=127.0.0.1:"$PROMETHEUS_PORT"`;
  for (const [name, script] of Object.entries(commands)) {
    writeFileSync(join(dir, name), `#!/bin/sh\n${script}\n`);
    chmodSync(join(dir, name), 0o755);
  }
  return dir;
}

function onPath(program: string): string {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, program)).find(isExecutable);
  if (found === undefined) throw new Error(`${program} is not installed`);
  return found;
}

function quoted(text: string): string {
  return `'${text}'`;
}
