import { availableParallelism } from 'node:os';
import type { Figures } from './figures.ts';

/** A core, or all of them, of which this share was used is full: what is left is what a window's edges and the scheduler lose. */
const full = 0.93;
/** More than this of a core for other programs, and the figures are not to be trusted. */
const mostForOthers = 0.1;

/** Why figures of throughput say nothing of the server. */
export type Hindrance = 'loader' | 'backend' | 'others';

/** True when other programs used so much of the machine that the figures are not to be trusted. */
export function isNoisy({ cores }: Pick<Figures, 'cores'>): boolean {
  return cores.others > mostForOthers;
}

/** Returns which process used up its core; all of them together may have used up the machine. */
export function saturated({ cores }: Figures, machineCores = availableParallelism()): string {
  const busy = Object.entries(cores).filter(([, used]) => used >= full);
  if (busy.length > 0) return busy.map(([name]) => name).join(' + ');
  const total = cores.loader + cores.server + cores.backend + cores.others;
  return total >= full * machineCores ? 'the machine' : 'none';
}

/**
 * Returns what held the server back, so that its throughput is that of something else; undefined when it was the server itself, or the machine.
 *
 * Loader, server and backend use one core each at most. One whose core was full set the pace, unless the server's was full as well. Where none
 * was full although the machine was, they shared its cores: then throughput is what this machine makes of the server, and may be compared with
 * what the same machine makes of another.
 */
export function hindranceOf(figures: Figures): Hindrance | undefined {
  const { cores } = figures;
  if (isNoisy(figures)) return 'others';
  if (cores.server >= full) return undefined;
  if (cores.loader >= full) return 'loader';
  return cores.backend >= full ? 'backend' : undefined;
}

/** The rule in one sentence, for those who read the figures. */
export const refusalRule = `no ratio where, in either of the two, the loader or the backend had used up its core (≥ ${full}) and the server had not, or other programs had used over ${mostForOthers} cores`;

/** Says what held the server back. */
export function hindranceLine(hindrance: Hindrance, { server, cores }: Figures): string {
  if (hindrance === 'others') return `${server}: other programs used ${cores.others.toFixed(2)} cores`;
  return `${server}: the ${hindrance} was the bottleneck (${cores[hindrance].toFixed(2)} cores; server ${cores.server.toFixed(2)})`;
}

/** What to do about each. */
export const remedies: Readonly<Record<Hindrance, string>> = {
  loader:
    'The loader was the bottleneck: use fewer clients (--clients) or a greater depth (--depth), or more cores. CPU per message still compares.',
  backend:
    'The backend was the bottleneck: use a machine with faster cores, or compare at depth 1. CPU per message still compares.',
  others:
    'Other programs used the machine: end them, or let windows be measured again until it is quiet (--retries 5).',
};
