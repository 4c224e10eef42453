import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { runCommand } from './command.ts';
import { noResults, type Tally } from './tally.ts';

const suitesTimeoutMs = 2_700_000;

/** The part of vitest's JSON report that is counted here. */
export interface VitestReport {
  readonly numPassedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
}

/** Runs vitest on what the filters select (all of it when there are none), but for the left-out files. */
export async function runSuites(filters: readonly string[], leftOut: readonly string[]): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'wsluice-test-'));
  const reportFile = join(folder, 'report.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
  const { ok } = await runCommand(['vitest', 'run', ...reporters, ...filters], {
    timeoutMs: suitesTimeoutMs,
    live: true,
    env: { LEAVE_OUT_SUITES: leftOut.join(',') },
  });
  const tally = tallyReport(readReport(reportFile), ok);
  rmSync(folder, { recursive: true, force: true });
  return tally;
}

/** Counts tests as vitest reports them; a file that did not load, or a run that failed in no test, counts as one failure. */
export function tallyReport(report: VitestReport | undefined, ok: boolean): Tally {
  if (report === undefined) return { ...noResults, failed: 1, faults: ['vitest ended without a report'] };
  const faults = report.testResults.flatMap(({ name, status, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((test) => test.status === 'failed');
    if (status === 'failed' && failed.length === 0) return [`${file} (did not run)`];
    return failed.map((test) => `${file} › ${test.fullName}`);
  });
  if (!ok && faults.length === 0) faults.push('vitest failed outside of a test; its output above says where');
  return {
    passed: report.numPassedTests,
    failed: faults.length,
    skipped: report.numPendingTests + report.numTodoTests,
    faults,
  };
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as VitestReport;
  } catch {
    return undefined;
  }
}
