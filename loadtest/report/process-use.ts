import type { RunResult, SecondOfRun } from '../result/run-result.ts';

/** Who does what in a run: the word before the number of a process. */
export type Role = 'gateway' | 'backend' | 'loader';

/** What all processes of a role used together. */
export interface RoleUse {
  readonly processes: number;
  /** Of all of them, over the whole run. */
  readonly meanCores: number;
  readonly mostBytes: number;
}

/** "gateway 2" is one of the gateways. */
export function roleOf(process: string): string {
  return process.replace(/ \d+$/, '');
}

/** Undefined when no process of this role could be seen. */
export function useOf({ timeline }: RunResult, role: Role): RoleUse | undefined {
  const names = new Set<string>();
  let [coreSeconds, seconds, mostBytes, before] = [0, 0, 0, 0];
  for (const { at, processes } of timeline) {
    const lasted = Math.max(0, at - before);
    before = at;
    const ofRole = Object.entries(processes).filter(([name]) => roleOf(name) === role);
    if (ofRole.length === 0) continue;
    for (const [name] of ofRole) names.add(name);
    seconds += lasted;
    coreSeconds += lasted * ofRole.reduce((sum, [, { cores }]) => sum + cores, 0);
    mostBytes = Math.max(
      mostBytes,
      ofRole.reduce((sum, [, { residentBytes }]) => sum + residentBytes, 0),
    );
  }
  if (seconds === 0) return undefined;
  return { processes: names.size, meanCores: coreSeconds / seconds, mostBytes };
}

/** Microseconds of CPU time that the gateways used for each message that was answered; undefined when one of the two was not seen. */
export function gatewayCpuUsPerMessage(result: RunResult): number | undefined {
  const use = useOf(result, 'gateway');
  const received = result.timeline.reduce((sum, second) => sum + second.received, 0);
  const seconds = result.timeline.at(-1)?.at ?? 0;
  return use === undefined || received === 0 ? undefined : (use.meanCores * seconds * 1e6) / received;
}

/** The seconds in which something was sent. */
export function loadedSeconds({ timeline }: RunResult): readonly SecondOfRun[] {
  return timeline.filter(({ sent }) => sent > 0);
}
