import { environment } from '../result/environment.ts';
import { emptyResult } from '../result/run-result.ts';
import type { Comparison, MicroBench, RunResult } from '../result/run-result.ts';
import type { BenchOptions } from './options.ts';
import type { Bench } from './subject.ts';

/** What the subjects of one run have measured. */
export class Kept implements Pick<Bench, 'keepBenches' | 'keepComparison' | 'keepOther'> {
  readonly #benches: MicroBench[] = [];
  readonly #contestants: Comparison['contestants'] = [];
  readonly #ratios: Comparison['ratios'] = [];
  readonly #others: unknown[] = [];
  /** The most that other programs used while benches ran. */
  #otherCores = 0;

  readonly keepBenches = (benches: readonly MicroBench[], otherCores: number): void => {
    this.#benches.push(...benches);
    this.#otherCores = Math.max(this.#otherCores, otherCores);
  };

  readonly keepComparison = ({ contestants, ratios }: Comparison): void => {
    this.#contestants.push(...contestants);
    this.#ratios.push(...ratios);
  };

  readonly keepOther = (figures: unknown): void => void this.#others.push(figures);

  /** True until the first figure. */
  get isEmpty(): boolean {
    return [this.#benches, this.#contestants, this.#others].every(({ length }) => length === 0);
  }

  /** All of it, as a result has it. */
  result(args: readonly string[], subjects: readonly string[], options: BenchOptions): RunResult {
    const comparison = { contestants: this.#contestants, ratios: this.#ratios };
    return {
      ...emptyResult({
        kind: 'bench',
        title: `bench: ${subjects.join(', ')}`,
        command: `npm run bench${args.length > 0 ? ` -- ${args.join(' ')}` : ''}`,
        environment: environment('loopback'),
        target: subjects.join(', '),
        settings: {
          clients: options.pace.clients,
          depth: options.depths.join(','),
          seconds: options.pace.windowMs / 1000,
          rounds: options.pace.rounds,
          ...(this.#benches.length === 0 ? {} : { otherCores: Number(this.#otherCores.toFixed(2)) }),
        },
      }),
      benches: this.#benches,
      comparison: this.#contestants.length === 0 ? null : comparison,
      others: this.#others,
    };
  }
}
