import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chosenSubjects } from '../../../loadtest/bench/all-subjects.ts';
import { parseOptions } from '../../../loadtest/bench/options.ts';

/** The arguments of each `npm test` and `npm run` since the last look, as the stand-in for npm has noted them. */
export function npmCallsIn(dir: string): string[] {
  const file = join(dir, 'npm-calls');
  if (!existsSync(file)) return [];
  const calls = readFileSync(file, 'utf8').trimEnd().split('\n');
  rmSync(file);
  return calls;
}

/** Throws when package.json has no such script, or `npm run bench` would not take these options. */
export function checkNpmCall(call: string): void {
  const [command, ...rest] = call.split(' ');
  const script = command === 'run' ? rest.shift() : command;
  const manifest = readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8');
  const { scripts } = JSON.parse(manifest) as { readonly scripts: Readonly<Record<string, string>> };
  if (script === undefined || scripts[script] === undefined)
    throw new Error(`npm ${call}: package.json has no script ${script}`);
  if (script === 'bench') chosenSubjects(parseOptions(rest[0] === '--' ? rest.slice(1) : rest));
}
