import type { StandOptions } from '../../compare/stand.ts';
import type { Bench } from '../subject.ts';

/** What the servers of a subject are started with. */
export function standOf({ children, dir, options }: Bench): StandOptions {
  const { pace, gatewayFile, cpuProfileDir } = options;
  return { children, dir, clients: pace.clients, gatewayFile, cpuProfileDir };
}
