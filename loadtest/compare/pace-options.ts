import { numberOption, wholeOption } from '../stand/number-option.ts';
import type { Pace } from './turns.ts';

/** The options of that name as the command line has them. */
export type PaceValues = Readonly<Record<'clients' | 'seconds' | 'warmup' | 'rounds' | 'retries', string>>;

/** Returns the pace that the options ask for; throws with a readable reason when one makes no sense. */
export function readPace({ clients, seconds, warmup, rounds, retries }: PaceValues): Pace {
  return {
    clients: wholeOption('clients', clients, 1, 9_000),
    windowMs: numberOption('seconds', seconds, 0.1, 600) * 1000,
    warmupMs: numberOption('warmup', warmup, 0, 60) * 1000,
    rounds: wholeOption('rounds', rounds, 1, 20),
    retries: wholeOption('retries', retries, 0, 100),
  };
}
