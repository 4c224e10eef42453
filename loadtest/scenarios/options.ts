import { parseArgs } from 'node:util';
import { numberOption, wholeOption } from '../stand/number-option.ts';
import { webSocketUrl } from '../stand/web-socket-url.ts';
import type { Variables } from './template.ts';

export const usage = `npm run scenario -- [name | file.yml] [ws://url] [options]
  without a name            lists the scenarios there are
  without a URL             starts a gateway and back ends of its own, each in a process of its own
  --connections <n>  --rate <n>  --seconds <n>  --rest <n>   as far as the scenario has them
  --set <name>=<value>      any other of its variables; repeatable
  --json <file>             writes all that was measured
  --report <file.html>      writes it as a page with charts`;

/** Options that are variables of scenarios under their own name. */
const variableOptions = ['connections', 'rate', 'seconds', 'rest'] as const;
const mostOfAnything = 1_000_000;

export interface ScenarioOptions {
  /** Undefined: the list is wanted. */
  readonly name: string | undefined;
  readonly url: string | undefined;
  readonly values: Variables;
  readonly jsonFile: string | undefined;
  readonly reportFile: string | undefined;
  readonly help: boolean;
}

/** Reads the command line; throws with a readable reason when it makes no sense. */
export function parseOptions(args: readonly string[]): ScenarioOptions {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      connections: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      rest: { type: 'string' },
      set: { type: 'string', multiple: true, default: [] },
      json: { type: 'string' },
      report: { type: 'string' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const [name, url, ...others] = positionals;
  if (others.length > 0)
    throw new Error(`${others.join(' ')}: one scenario and one URL are all that is taken`);
  if (url !== undefined) webSocketUrl(url);
  const set: Record<string, number | string> = {};
  for (const option of variableOptions) {
    const text = values[option];
    if (text !== undefined) set[option] = numberOf(option, text);
  }
  for (const pair of values.set) Object.assign(set, assignment(pair));
  return { name, url, values: set, jsonFile: values.json, reportFile: values.report, help: values.help };
}

function assignment(pair: string): Record<string, number | string> {
  const [, name, text] = /^(\w+)=(.+)$/.exec(pair) ?? [];
  if (name === undefined || text === undefined) throw new Error(`--set ${pair}: name=value is needed`);
  const value = Number(text);
  return { [name]: Number.isNaN(value) ? text : value };
}

function numberOf(option: (typeof variableOptions)[number], text: string): number {
  if (option === 'connections') return wholeOption(option, text, 1, mostOfAnything);
  return numberOption(option, text, option === 'rest' ? 0 : 0.001, mostOfAnything);
}
