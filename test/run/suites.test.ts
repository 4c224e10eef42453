import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tallyReport, type VitestReport } from './suites.ts';

const file = join(process.cwd(), 'pool/pool.test.ts');

function report(changes: Partial<VitestReport>): VitestReport {
  return { numPassedTests: 0, numPendingTests: 0, numTodoTests: 0, testResults: [], ...changes };
}

test('counts passed, skipped and failed tests, and names each failed one', () => {
  const assertionResults = [
    { status: 'passed', fullName: 'leases' },
    { status: 'failed', fullName: 'releases' },
  ];
  const tally = tallyReport(
    report({
      numPassedTests: 1,
      numPendingTests: 2,
      numTodoTests: 1,
      testResults: [{ name: file, status: 'failed', assertionResults }],
    }),
    false,
  );
  expect(tally).toEqual({ passed: 1, failed: 1, skipped: 3, faults: ['pool/pool.test.ts › releases'] });
});

test('counts a file that did not load as one failure', () => {
  const tally = tallyReport(
    report({ testResults: [{ name: file, status: 'failed', assertionResults: [] }] }),
    false,
  );
  expect(tally).toMatchObject({ failed: 1, faults: ['pool/pool.test.ts (did not run)'] });
});

test('counts a run that failed outside of any test, such as an unhandled rejection, as one failure', () => {
  expect(tallyReport(report({ numPassedTests: 9 }), false)).toMatchObject({ passed: 9, failed: 1 });
});

test('counts a run that left no report as one failure', () => {
  expect(tallyReport(undefined, true)).toMatchObject({ passed: 0, failed: 1 });
});
