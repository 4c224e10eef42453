import type { Comparison, MicroBench } from '../result/run-result.ts';
import type { Children } from '../stand/children.ts';
import type { BenchOptions } from './options.ts';

/** What a subject may use; it prints its own result. */
export interface Bench {
  readonly children: Children;
  readonly options: BenchOptions;
  /** A directory of this run alone. */
  readonly dir: string;
  /** Replaces the progress line. */
  readonly progress: (text: string) => void;
  readonly print: (text: string) => void;
  /** Keeps what was measured, for `--json` and `--report`: single operations, servers side by side, and whatever else there is. */
  readonly keepBenches: (benches: readonly MicroBench[], otherCores: number) => void;
  readonly keepComparison: (comparison: Comparison) => void;
  readonly keepOther: (figures: unknown) => void;
}

/** One thing that is measured; throws only when something is wrong, never when it is slow. */
export interface Subject {
  readonly name: string;
  readonly run: (bench: Bench) => Promise<void>;
}
