import { parseArgs } from 'node:util';

/** What is measured anew, by the name of its result. */
export const parts = ['compare', 'micro'] as const;
export type Part = (typeof parts)[number];

export interface PerformanceOptions {
  /** Results of other runs to keep beside; when there are some, nothing is measured. */
  readonly files: readonly string[];
  readonly measured: readonly Part[];
  /** What `npm run compare` is told. */
  readonly compareArgs: readonly string[];
}

/** What `npm run compare` is told unless the command line says otherwise. */
const paceFlags = { clients: '1000', seconds: '2', rounds: '3', retries: '1' } as const;
const paceText = Object.entries(paceFlags)
  .map(([flag, value]) => `--${flag} ${value}`)
  .join('   ');

export const usage = `npm run performance                            measure what docs/performance.md shows (compare and micro, seven minutes), and write the page
npm run performance -- --only compare|micro    one of them
  ${paceText}
npm run performance -- <result.json …>         keep the results of other runs (scale, scenario, loadtest) under their names, and write the page`;

/** Reads the command line; throws with a readable reason when it makes no sense. */
export function parseOptions(args: readonly string[]): PerformanceOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      only: { type: 'string' },
      clients: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
      retries: { type: 'string' },
    },
  });
  const { only, ...pace } = values;
  const wanted = parts.filter((part) => only === undefined || part === only);
  if (wanted.length === 0) throw new Error(`--only ${only}: one of ${parts.join(', ')} is needed`);
  if (positionals.length > 0 && Object.keys(values).length > 0)
    throw new Error('either results to keep, or options of what is measured');
  return {
    files: positionals,
    measured: positionals.length > 0 ? [] : wanted,
    compareArgs: Object.entries({ ...paceFlags, ...pace }).flatMap(([flag, value]) => [`--${flag}`, value]),
  };
}
