import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { chosenSubjects } from '../../../loadtest/bench/all-subjects.ts';
import { parseOptions } from '../../../loadtest/bench/options.ts';
import { parseOptions as parseCompareOptions } from '../../../loadtest/compare/options.ts';
import { parseOptions as parseScaleOptions } from '../../../loadtest/scale/options.ts';
import { parseOptions as parsePerformanceOptions } from '../../../loadtest/performance/options.ts';
import { parseReportOrder } from '../../../loadtest/report/arguments.ts';
import { parseOptions as parseThorOptions, thorCommand } from '../../../loadtest/thor/options.ts';
import { parseOptions as parseScenarioOptions } from '../../../loadtest/scenarios/options.ts';
import { findScenario, withValues } from '../../../loadtest/scenarios/scenario-file.ts';

/** The arguments of each `npm test` and `npm run` since the last look, as the stand-in for npm has noted them. */
export function npmCallsIn(dir: string): string[] {
  const file = join(dir, 'npm-calls');
  if (!existsSync(file)) return [];
  const calls = readFileSync(file, 'utf8').trimEnd().split('\n');
  rmSync(file);
  return calls;
}

/** What reads the options of a script, and throws for those it does not take. */
const readers: Readonly<Record<string, (args: readonly string[]) => unknown>> = {
  bench: (args) => chosenSubjects(parseOptions(args)),
  compare: parseCompareOptions,
  scale: parseScaleOptions,
  performance: parsePerformanceOptions,
  report: parseReportOrder,
  loadtest: (args) => parseThorOptions(thorCommand(), args),
  scenario(args) {
    const { name, values } = parseScenarioOptions(args);
    if (name !== undefined) withValues(findScenario(name), values);
  },
};

/** Throws when package.json has no such script, or the script would not take these options. */
export function checkNpmCall(call: string): void {
  const [command, ...rest] = call.split(' ');
  const script = command === 'run' ? rest.shift() : command;
  const manifest = readFileSync(join(import.meta.dirname, '../../../package.json'), 'utf8');
  const { scripts } = JSON.parse(manifest) as { readonly scripts: Readonly<Record<string, string>> };
  if (script === undefined || scripts[script] === undefined)
    throw new Error(`npm ${call}: package.json has no script ${script}`);
  readers[script]?.(rest[0] === '--' ? rest.slice(1) : rest);
}
