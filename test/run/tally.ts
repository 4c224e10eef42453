/** What a step found. A fault is one line for the summary. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly faults: readonly string[];
}

export const noResults: Tally = { passed: 0, failed: 0, skipped: 0, faults: [] };

export function addTallies(tallies: readonly Tally[]): Tally {
  return tallies.reduce(
    (sum, next) => ({
      passed: sum.passed + next.passed,
      failed: sum.failed + next.failed,
      skipped: sum.skipped + next.skipped,
      faults: [...sum.faults, ...next.faults],
    }),
    noResults,
  );
}

/** The last line of a run, the one that machines read: `12 passed, 0 failed`, with `, 1 skipped` where some were. */
export function countLine({ passed, failed, skipped }: Tally): string {
  const skips = skipped > 0 ? `, ${String(skipped)} skipped` : '';
  return `${String(passed)} passed, ${String(failed)} failed${skips}`;
}
