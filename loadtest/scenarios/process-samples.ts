import { cpuMs } from '../stand/cpu.ts';
import { residentBytes } from '../stand/memory.ts';

/** What a process used since the sample before, and has in memory now. */
export interface ProcessSample {
  readonly cores: number;
  readonly residentBytes: number;
}

/** All processes at one moment, in milliseconds since the epoch. */
export interface Sample {
  readonly atMs: number;
  readonly processes: Readonly<Record<string, ProcessSample>>;
}

/** Looks at processes once a second, until it is stopped. */
export class ProcessSamples {
  readonly taken: Sample[] = [];
  readonly #pids: () => Readonly<Record<string, number>>;
  readonly #timer: NodeJS.Timeout;
  #before = new Map<number, number>();
  #beforeMs = performance.now();

  constructor(pids: () => Readonly<Record<string, number>>) {
    this.#pids = pids;
    this.#look();
    this.#timer = setInterval(() => this.#look(), 1_000);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.#beforeMs;
    const used = new Map<number, number>();
    const processes: Record<string, ProcessSample> = {};
    for (const [name, pid] of Object.entries(this.#pids())) {
      const now = lookAt(pid);
      if (now === undefined) continue;
      used.set(pid, now.cpuMs);
      const before = this.#before.get(pid);
      const cores = before === undefined || elapsedMs <= 0 ? undefined : (now.cpuMs - before) / elapsedMs;
      if (cores !== undefined) processes[name] = { cores, residentBytes: now.residentBytes };
    }
    this.#before = used;
    this.#beforeMs = nowMs;
    if (Object.keys(processes).length > 0) this.taken.push({ atMs: Date.now(), processes });
  }
}

/** Undefined for a process that has just gone. */
function lookAt(pid: number): { cpuMs: number; residentBytes: number } | undefined {
  try {
    return { cpuMs: cpuMs([pid]), residentBytes: residentBytes(pid) };
  } catch {
    return undefined;
  }
}
