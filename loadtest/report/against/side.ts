import type { RunResult } from '../../result/run-result.ts';

/** One of two runs that are compared, and the file it was read from. */
export interface Side {
  readonly name: string;
  readonly result: RunResult;
}
