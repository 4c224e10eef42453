import { cpuMs, machineCpuMs } from '../stand/cpu.ts';
import { residentBytes } from '../stand/memory.ts';

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

/** Looks at processes from time to time. One that is gone is left out. */
export class ProcessWatch {
  readonly #pids = new Map<string, number>();
  readonly #cpuBefore = new Map<string, number>();
  #atMs = performance.now();
  #machineBefore = machineCpuMs();

  add(watched: Watched): void {
    for (const [kind, pids] of Object.entries(watched))
      for (const [i, pid] of pids.entries()) this.#pids.set(i === 0 ? kind : `${kind} ${i + 1}`, pid);
    this.look();
  }

  look(): Uses {
    const nowMs = performance.now();
    const elapsedMs = Math.max(1, nowMs - this.#atMs);
    const processes: Record<string, Use> = {};
    for (const [name, pid] of this.#pids) {
      try {
        const cpu = cpuMs([pid]);
        const cores = (cpu - (this.#cpuBefore.get(name) ?? cpu)) / elapsedMs;
        this.#cpuBefore.set(name, cpu);
        processes[name] = { cores, residentBytes: residentBytes(pid) };
      } catch {
        this.#pids.delete(name);
      }
    }
    const machine = machineCpuMs();
    const machineCores = (machine - this.#machineBefore) / elapsedMs;
    this.#atMs = nowMs;
    this.#machineBefore = machine;
    return { processes, machineCores };
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
