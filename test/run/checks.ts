import { runCommand, seconds, type CommandResult } from './command.ts';
import { noResults, type Tally } from './tally.ts';

/** A static check: passes when its command exits 0. */
export interface Check {
  readonly name: string;
  readonly command: readonly string[];
}

const typescript = ['node', '--disable-warning=ExperimentalWarning'];
/** TypeScript 7; what stands in `.bin` is of another version, for dependency-cruiser. */
const types = ['node', 'node_modules/typescript-7/bin/tsc', '--noEmit', '--singleThreaded'];

/** The checks of `npm test`, the slowest first so that the others fit beside it. */
export const checks: readonly Check[] = [
  { name: 'format (prettier)', command: ['prettier', '--check', '.', '--log-level', 'warn'] },
  { name: 'lint (oxlint)', command: ['oxlint'] },
  { name: 'types (tsc)', command: types },
  { name: 'types of the live page (tsc)', command: [...types, '-p', 'server/admin/page'] },
  { name: 'types of the report page (tsc)', command: [...types, '-p', 'loadtest/report/page'] },
  { name: 'import rules and cycles', command: ['npm', 'run', '--silent', 'check:imports'] },
  { name: 'generated docs are fresh', command: [...typescript, 'scripts/generate-docs.ts', '--check'] },
];

const checkTimeoutMs = 300_000;

/** Runs all checks, `lanes` at a time, and reports each as it ends; a failed one shows its output. */
export async function runChecks(
  todo: readonly Check[],
  { lanes, say }: { readonly lanes: number; readonly say: (line: string) => void },
): Promise<Tally> {
  const queue = [...todo];
  const failed: string[] = [];
  const lane = async (): Promise<void> => {
    for (let check = queue.shift(); check !== undefined; check = queue.shift()) {
      const result = await runCommand(check.command, { timeoutMs: checkTimeoutMs });
      say(verdict(check, result));
      if (!result.ok) failed.push(check.name);
    }
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return { ...noResults, passed: todo.length - failed.length, failed: failed.length, faults: failed };
}

function verdict({ name }: Check, { ok, output, durationMs }: CommandResult): string {
  const headline = `  ${ok ? '✓' : '✗'} ${name}  ${seconds(durationMs)}`;
  return ok ? headline : `${headline}\n${output.trimEnd().replace(/^/gm, '      ')}`;
}
