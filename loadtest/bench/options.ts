import { parseArgs } from 'node:util';
import { readPace } from '../compare/pace-options.ts';
import type { Pace } from '../compare/turns.ts';
import { numberOption, wholeOption } from '../stand/number-option.ts';

export interface BenchOptions extends Pace {
  /** Subjects asked for by name; empty means all. */
  readonly subjects: readonly string[];
  readonly depths: readonly number[];
  /** `capacity`: numbers of clients to hold, one row each. */
  readonly connections: readonly number[];
  /** `capacity`: messages per second of all clients together. */
  readonly rate: number;
  /** `capacity`: how long each row is loaded, and how long it is left alone. */
  readonly holdMs: number;
  /** The gateway's entry file, so that another checkout or a build can be measured. */
  readonly gatewayFile: string;
  readonly cpuProfileDir: string | undefined;
  readonly jsonFile: string | undefined;
  readonly reportFile: string | undefined;
}

export const usage = `npm run bench -- [subject …] [options]
  --clients 1000   --depth 1,16   --seconds 3   --warmup 1   --rounds 2
  --retries 0                 measure a window again when other programs used the machine
  --connections 100,1000,10000   --rate 5000   --hold 10     (capacity; up to 250000)
  --gateway server/main.ts    the gateway to measure
  --cpu-prof <dir>            write V8 CPU profiles of the gateway and print its hottest functions
  --json <file>   --report <file.html>`;

/** Reads the command line; throws with a readable reason when it makes no sense. */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      clients: { type: 'string', default: '1000' },
      depth: { type: 'string', default: '1,16' },
      seconds: { type: 'string', default: '3' },
      warmup: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '2' },
      retries: { type: 'string', default: '0' },
      connections: { type: 'string', default: '100,1000,10000' },
      rate: { type: 'string', default: '5000' },
      hold: { type: 'string', default: '10' },
      gateway: { type: 'string', default: 'server/main.ts' },
      'cpu-prof': { type: 'string' },
      json: { type: 'string' },
      report: { type: 'string' },
    },
  });
  return {
    subjects: positionals,
    ...readPace(values),
    depths: values.depth.split(',').map((depth) => wholeOption('depth', depth, 1, 31)),
    connections: values.connections.split(',').map((count) => wholeOption('connections', count, 1, 250_000)),
    rate: numberOption('rate', values.rate, 1, 100_000),
    holdMs: numberOption('hold', values.hold, 0.5, 600) * 1000,
    gatewayFile: values.gateway,
    cpuProfileDir: values['cpu-prof'],
    jsonFile: values.json,
    reportFile: values.report,
  };
}
