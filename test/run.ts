/**
 * `npm test`: prepares the real parts, runs every check and every suite, and ends with the count.
 * `npm test -- <vitest filters>` runs only the suites they select.
 */
import { delimiter, join } from 'node:path';
import { findInstaller } from './parts/apt.ts';
import { installNpmFolder } from './parts/npm.ts';
import { parts, pathWithSystemPrograms, type Part } from './parts/parts.ts';
import { prepareParts, suiteFiles } from './parts/prepare.ts';
import { checks, runChecks } from './run/checks.ts';
import { seconds } from './run/command.ts';
import { runSuites } from './run/suites.ts';
import { addTallies, countLine, noResults, type Tally } from './run/tally.ts';

const root = join(import.meta.dirname, '..');
process.chdir(root);
process.env['PATH'] = [join(root, 'node_modules', '.bin'), pathWithSystemPrograms()].join(delimiter);

const filters = process.argv.slice(2);
const mustHaveAll = process.env['CI'] === 'true';
const startedMs = performance.now();
const tallies: Tally[] = [];

const wanted = filters.length === 0 ? parts : parts.filter(isSelected);
const missing = await timed('Real parts', () =>
  prepareParts({ parts: wanted, installer: findInstaller(), installNpm: installNpmFolder, say: print }),
);
tallies.push(tallyMissing(missing));
if (filters.length === 0)
  tallies.push(await timed('Checks', () => runChecks(checks, { lanes: 2, say: print })));
const absent = parts.filter((part) => !part.isPresent());
tallies.push(await timed('Suites', () => runSuites(filters, absent.flatMap(suiteFiles))));

const total = addTallies(tallies);
if (total.faults.length > 0) print(`\nFailed:\n${total.faults.map((fault) => `  ✗ ${fault}`).join('\n')}`);
if (missing.length > 0)
  print(`\nMissing, with their suites left out: ${missing.map((part) => part.name).join(', ')}`);
print(`\nDone in ${seconds(performance.now() - startedMs)}`);
print(countLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;

/** True when a filter selects a suite that needs the part. */
function isSelected(part: Part): boolean {
  return suiteFiles(part).some((file) => filters.some((filter) => file.includes(filter)));
}

/** A missing part skips its suites; where all must be there, it is a failure as well. */
function tallyMissing(missing: readonly Part[]): Tally {
  const skipped = missing.flatMap(suiteFiles).length;
  if (!mustHaveAll) return { ...noResults, skipped };
  return {
    ...noResults,
    skipped,
    failed: missing.length,
    faults: missing.map((part) => `${part.name} is missing`),
  };
}

async function timed<T>(headline: string, step: () => Promise<T>): Promise<T> {
  print(`\n── ${headline}`);
  const stepStartedMs = performance.now();
  const result = await step();
  print(`── ${headline}: ${seconds(performance.now() - stepStartedMs)}`);
  return result;
}

function print(line: string): void {
  console.log(line);
}
