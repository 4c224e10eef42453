import { cpuMs, machineCpuMs } from './cpu.ts';
import { residentBytes } from './memory.ts';

/** Those whose use is told apart: by a name for each kind, the processes of it. */
export type Watched = Readonly<Record<string, readonly number[]>>;

/** What a process used since it was looked at last. */
export interface Use {
  readonly cores: number;
  readonly residentBytes: number;
}

/** What was used since one looked last: by process ("gateway", "gateway 2", …), and by everything on the machine, in cores. */
export interface Uses {
  readonly processes: Readonly<Record<string, Use>>;
  readonly machineCores: number;
}

/** Looks at processes from time to time. One that is gone, and one that is new since the last look, is left out. */
export class ProcessWatch {
  readonly #pids: () => Readonly<Record<string, number>>;
  #cpuBefore = new Map<number, number>();
  #atMs = performance.now();
  #machineBefore = machineCpuMs();

  /** `pids` has those that run now, by name. */
  constructor(pids: () => Readonly<Record<string, number>>) {
    this.#pids = pids;
    this.look();
  }

  look(): Uses {
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - this.#atMs);
    const cpuNow = new Map<number, number>();
    const processes: Record<string, Use> = {};
    for (const [name, pid] of Object.entries(this.#pids())) {
      const now = lookAt(pid);
      if (now === undefined) continue;
      const before = this.#cpuBefore.get(pid);
      if (before !== undefined)
        processes[name] = { cores: (now.cpuMs - before) / elapsedMs, residentBytes: now.residentBytes };
      cpuNow.set(pid, now.cpuMs);
    }
    const machine = machineCpuMs();
    const machineCores = (machine - this.#machineBefore) / elapsedMs;
    this.#cpuBefore = cpuNow;
    this.#atMs = nowMs;
    this.#machineBefore = machine;
    return { processes, machineCores };
  }
}

/** Returns processes by name: "gateway", "gateway 2", … */
export function namedPids(watched: Watched): Record<string, number> {
  const named: Record<string, number> = {};
  for (const [kind, pids] of Object.entries(watched))
    for (const [i, pid] of pids.entries()) named[i === 0 ? kind : `${kind} ${i + 1}`] = pid;
  return named;
}

/** Undefined for a process that has just gone. */
function lookAt(pid: number): { cpuMs: number; residentBytes: number } | undefined {
  try {
    return { cpuMs: cpuMs([pid]), residentBytes: residentBytes(pid) };
  } catch {
    return undefined;
  }
}

/** Returns what all processes of a kind used together; undefined where none was seen. */
export function usedBy(kind: string, processes: Uses['processes']): Use | undefined {
  const those = Object.entries(processes).filter(([name]) => name === kind || name.startsWith(`${kind} `));
  if (those.length === 0) return undefined;
  return {
    cores: those.reduce((sum, [, { cores }]) => sum + cores, 0),
    residentBytes: those.reduce((sum, [, use]) => sum + use.residentBytes, 0),
  };
}
