import { globSync } from 'node:fs';
import { join } from 'node:path';
import type { MicroBench } from '../../result/run-result.ts';
import type { Children } from '../../stand/children.ts';
import { machineCpuMs } from '../../stand/cpu.ts';
import type { FileFigures, Timing } from './bench-file.ts';
import type { MicroGroup } from './groups.ts';

const root = join(import.meta.dirname, '../../..');
const runFile = join(import.meta.dirname, 'run-file.ts');
/** A little is always used, and a bench has a core to itself only where there are several. */
const mostForOthers = 0.25;
/** On a machine that does ten other things. */
const fileTimeoutMs = 180_000;

/** What the files of a group have measured, and how many cores everything else on the machine used meanwhile. */
export interface GroupFigures {
  readonly benches: readonly MicroBench[];
  readonly otherCores: number;
}

/** Runs the files of a group, each in a process of its own; their figures stand beside what is wanted and known of them. */
export async function measureGroup(
  children: Children,
  group: MicroGroup,
  progress: (text: string) => void,
): Promise<GroupFigures> {
  const files = globSync(group.files, { cwd: root }).sort();
  if (files.length === 0) throw new Error(`${group.name}: no file matches ${group.files}`);
  const benches: MicroBench[] = [];
  const [startedMs, machineMs] = [performance.now(), machineCpuMs()];
  let ownMs = 0;
  for (const file of files) {
    progress(`${group.name}: ${file} …`);
    const message = await children.messageOf(file, [runFile, join(root, file)], fileTimeoutMs);
    const { timings, cpuMs } = message as FileFigures;
    benches.push(...timings.map((timing) => microBenchOf(group, timing)));
    ownMs += cpuMs;
  }
  const otherMs = machineCpuMs() - machineMs - ownMs;
  return { benches, otherCores: Math.max(0, otherMs / (performance.now() - startedMs)) };
}

/** Returns a timing beside what is wanted and known of it. */
export function microBenchOf(
  { name, expected }: MicroGroup,
  { title, ns, bytes, smaller }: Timing,
): MicroBench {
  const { goalNs, seedNs, seedMBs, seedSmaller } = expected.find((one) => one.title.test(title)) ?? {};
  const seedFromMBs = seedMBs === undefined || bytes === undefined ? undefined : (bytes / seedMBs) * 1000;
  return {
    ...{ group: name, name: title, ns, goalNs: goalNs ?? null, seedNs: seedNs ?? seedFromMBs ?? null },
    ...(bytes === undefined ? {} : { bytes }),
    ...(smaller === undefined ? {} : { smaller }),
    ...(seedSmaller === undefined ? {} : { seedSmaller }),
  };
}

/** Says how far figures are to be trusted, when so many cores were used by other programs; empty where there is nothing to say. */
export function disturbedLine(otherCores: number): string {
  if (otherCores <= mostForOthers) return '';
  return `Other programs used ${otherCores.toFixed(2)} cores meanwhile: these figures are worse than they should be.`;
}
