import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { openFilesLimit } from '../stand/memory.ts';
import { chosenContestants, contestants } from './contestants.ts';
import type { Contestant } from './contestants.ts';
import { readTurns, turnFlags, turnUsage, type TurnOptions } from './turn-options.ts';

export interface CompareOptions extends TurnOptions {
  readonly contestants: readonly Contestant[];
}

/** A proxy holds two for each client; these are for all else. */
const otherFiles = 300;

const defaults = { seconds: '2', rounds: '3' };

export const usage = `npm run compare -- [contestant …] [options]
  contestants: ${contestants.map(({ name }) => name).join(', ')}; all of them by default
${turnUsage(defaults)}`;

/** Reads the command line; throws with a readable reason when it makes no sense. */
export function parseOptions(args: readonly string[]): CompareOptions {
  const options = turnFlags(defaults);
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options });
  return { contestants: chosenContestants(positionals), ...readTurns(values) };
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
