import { parseArgs } from 'node:util';
import { readTurns, turnFlags, turnUsage, type TurnOptions } from '../compare/turn-options.ts';
import { numberOption, wholeOption } from '../stand/number-option.ts';

export interface BenchOptions extends TurnOptions {
  /** Subjects asked for by name; empty means all. */
  readonly subjects: readonly string[];
  /** `capacity`: numbers of clients to hold, one row each. */
  readonly connections: readonly number[];
  /** `capacity`: messages per second of all clients together. */
  readonly rate: number;
  /** `capacity`: how long each row is loaded, and how long it is left alone. */
  readonly holdMs: number;
  readonly cpuProfileDir: string | undefined;
}

const defaults = { seconds: '3', rounds: '2' };

export const usage = `npm run bench -- [subject …] [options]
${turnUsage(defaults, [
  '  --cpu-prof <dir>            write V8 CPU profiles of the gateway and print its hottest functions',
  '  --connections 100,1000,10000   --rate 5000   --hold 10     (capacity; up to 250000)',
])}`;

/** Reads the command line; throws with a readable reason when it makes no sense. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      ...turnFlags(defaults),
      connections: { type: 'string', default: '100,1000,10000' },
      rate: { type: 'string', default: '5000' },
      hold: { type: 'string', default: '10' },
      'cpu-prof': { type: 'string' },
    },
  });
  return {
    subjects: positionals,
    ...readTurns(values),
    connections: values.connections.split(',').map((count) => wholeOption('connections', count, 1, 250_000)),
    rate: numberOption('rate', values.rate, 1, 100_000),
    holdMs: numberOption('hold', values.hold, 0.5, 600) * 1000,
    cpuProfileDir: values['cpu-prof'],
  };
}
