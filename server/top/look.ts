import type { Look } from './spans.ts';
import { ascii, blocks, type Bars } from './sparkline.ts';

/** What can be shown in this environment; colours are for terminals only. */
export function lookOf(env: NodeJS.ProcessEnv, isTerminal: boolean): Look {
  return { colours: isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb', unicode: isUtf8(env) };
}

/** The bars of sparklines. */
export function barsOf({ unicode }: Look): Bars {
  return unicode ? blocks : ascii;
}

function isUtf8({ LC_ALL, LC_CTYPE, LANG }: NodeJS.ProcessEnv): boolean {
  return /utf-?8/i.test([LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== '') ?? '');
}
