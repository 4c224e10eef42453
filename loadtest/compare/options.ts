import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openFilesLimit } from '../stand/memory.ts';
import { wholeOption } from '../stand/number-option.ts';
import { chosenContestants, contestants } from './contestants.ts';
import type { Contestant } from './contestants.ts';
import { readPace } from './pace-options.ts';
import type { Pace } from './turns.ts';

export interface CompareOptions {
  readonly contestants: readonly Contestant[];
  readonly depths: readonly number[];
  readonly pace: Pace;
  readonly gatewayFile: string;
  readonly jsonFile: string | undefined;
  readonly reportFile: string | undefined;
}

/** A proxy holds two for each client; these are for all else. */
const otherFiles = 300;

export const usage = `npm run compare -- [contestant …] [options]
  contestants: ${contestants.map(({ name }) => name).join(', ')}; all of them by default
  --clients 1000   --depth 1,16   --seconds 2   --warmup 1   --rounds 3
  --retries 0                 measure a window again when other programs used the machine
  --gateway server/main.ts    the gateway to measure
  --json <file>   --report <file.html>`;

/** Reads the command line; throws with a readable reason when it makes no sense. */
export function parseOptions(args: readonly string[]): CompareOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      clients: { type: 'string', default: '1000' },
      depth: { type: 'string', default: '1,16' },
      seconds: { type: 'string', default: '2' },
      warmup: { type: 'string', default: '1' },
      rounds: { type: 'string', default: '3' },
      retries: { type: 'string', default: '0' },
      gateway: { type: 'string', default: 'server/main.ts' },
      json: { type: 'string' },
      report: { type: 'string' },
    },
  });
  return {
    contestants: chosenContestants(positionals),
    depths: [...new Set(values.depth.split(',').map((depth) => wholeOption('depth', depth, 1, 31)))],
    pace: readPace(values),
    gatewayFile: values.gateway,
    jsonFile: values.json,
    reportFile: values.report,
  };
}

/** Throws, with what to do, when this machine cannot do what was asked for. */
export function checkMachine({ gatewayFile, pace }: CompareOptions): void {
  if (!existsSync(gatewayFile)) throw new Error(`--gateway ${gatewayFile}: there is no such file`);
  const [needed, limit] = [pace.clients * 2 + otherFiles, openFilesLimit()];
  if (needed > limit)
    throw new Error(
      `--clients ${pace.clients}: a proxy needs ${needed} open files for them and may have ${limit}; raise that (ulimit -n ${needed}) or take fewer clients`,
    );
}
