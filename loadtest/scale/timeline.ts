import { mean } from '../result/mean.ts';
import type { SecondOfRun } from '../result/run-result.ts';
import type { SecondFigures } from './load-figures.ts';
import type { Use, Uses } from '../stand/process-watch.ts';

/** Of what processes used while they were loaded, in cores: the mean; and the most memory. */
export interface MeanUse {
  readonly processes: Uses['processes'];
  readonly machineCores: number;
}

/** The seconds of a run, one after the other over all its loads, with what each process used meanwhile. */
export class Timeline {
  readonly seconds: SecondOfRun[] = [];
  readonly #uses: Uses[] = [];
  #offset = 0;

  /** The next second is the first of another load. */
  beginLoad(): void {
    this.#offset = this.seconds.at(-1)?.at ?? 0;
  }

  add(second: SecondFigures, uses: Uses, open: number, lostConnections: number): void {
    const { sent, received, failed, latency } = second;
    this.seconds.push({
      ...{ at: this.#offset + second.at, sent, received, errors: failed + lostConnections, open },
      latencyMs: latency.shownMs(),
      processes: uses.processes,
    });
    this.#uses.push(uses);
  }

  /** What was used in the seconds from that one on. */
  usedSince(first: number): MeanUse {
    const uses = this.#uses.slice(first);
    const names = new Set(uses.flatMap(({ processes }) => Object.keys(processes)));
    const processes: Record<string, Use> = {};
    for (const name of names) {
      const those = uses.flatMap((use) => use.processes[name] ?? []);
      processes[name] = {
        cores: mean(those.map(({ cores }) => cores)),
        residentBytes: Math.max(...those.map((use) => use.residentBytes)),
      };
    }
    return { processes, machineCores: mean(uses.map(({ machineCores }) => machineCores)) };
  }
}

/** Who had no CPU time left; the process that had a core to itself before the machine as a whole. */
export function saturated({ processes, machineCores }: MeanUse, cores: number): string {
  const busiest = Object.entries(processes).find(([, use]) => use.cores >= 0.9);
  if (busiest) return busiest[0];
  return machineCores >= 0.9 * cores ? 'the machine' : 'nobody';
}

/** CPU that programs used which take no part in the run. */
export function otherCores({ processes, machineCores }: MeanUse): number {
  const ours = Object.values(processes).reduce((sum, { cores }) => sum + cores, 0);
  return Math.max(0, machineCores - ours);
}
