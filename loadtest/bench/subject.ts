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
  /** Keeps raw figures for `--json`. */
  readonly keep: (figures: unknown) => void;
}

/** One thing that is measured; throws only when something is wrong, never when it is slow. */
export interface Subject {
  readonly name: string;
  readonly run: (bench: Bench) => Promise<void>;
}
