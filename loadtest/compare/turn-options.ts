import { numberOption, wholeOption } from '../stand/number-option.ts';
import type { Pace } from './turns.ts';

/** What the commands that let servers take turns have in common: whom they measure, how, and where it goes. */
export interface TurnOptions {
  readonly pace: Pace;
  readonly depths: readonly number[];
  /** The gateway's entry file, so that another checkout or a build can be measured. */
  readonly gatewayFile: string;
  readonly jsonFile: string | undefined;
  readonly reportFile: string | undefined;
}

/** How long and how often each is measured unless told otherwise, which is each command's own. */
export type PaceDefaults = Readonly<Record<'seconds' | 'rounds', string>>;

const defaults = { clients: '1000', depth: '1,16', warmup: '1', retries: '0', gateway: 'server/main.ts' };

/** The options for `parseArgs`. */
export function turnFlags({ seconds, rounds }: PaceDefaults) {
  return {
    clients: text(defaults.clients),
    depth: text(defaults.depth),
    seconds: text(seconds),
    warmup: text(defaults.warmup),
    rounds: text(rounds),
    retries: text(defaults.retries),
    gateway: text(defaults.gateway),
    json: { type: 'string' },
    report: { type: 'string' },
  } as const;
}

/** The lines on them in a usage, with those of the command between. */
export function turnUsage({ seconds, rounds }: PaceDefaults, own: readonly string[] = []): string {
  const { clients, depth, warmup, retries, gateway } = defaults;
  return [
    `  --clients ${clients}   --depth ${depth}   --seconds ${seconds}   --warmup ${warmup}   --rounds ${rounds}`,
    `  --retries ${retries}                 measure a window again when other programs used the machine`,
    `  --gateway ${gateway}    the gateway to measure`,
    ...own,
    '  --json <file>   --report <file.html>',
  ].join('\n');
}

/** They as the command line has them. */
export type TurnValues = Readonly<
  Record<'clients' | 'depth' | 'seconds' | 'warmup' | 'rounds' | 'retries' | 'gateway', string>
> & { readonly json?: string | undefined; readonly report?: string | undefined };

/** Returns what the options ask for; throws with a readable reason when one makes no sense. */
export function readTurns(values: TurnValues): TurnOptions {
  const { clients, depth, seconds, warmup, rounds, retries, gateway, json, report } = values;
  return {
    pace: {
      clients: wholeOption('clients', clients, 1, 9_000),
      windowMs: numberOption('seconds', seconds, 0.1, 600) * 1000,
      warmupMs: numberOption('warmup', warmup, 0, 60) * 1000,
      rounds: wholeOption('rounds', rounds, 1, 20),
      retries: wholeOption('retries', retries, 0, 100),
    },
    depths: [...new Set(depth.split(',').map((one) => wholeOption('depth', one, 1, 31)))],
    gatewayFile: gateway,
    jsonFile: json,
    reportFile: report,
  };
}

function text(usual: string) {
  return { type: 'string', default: usual } as const;
}
