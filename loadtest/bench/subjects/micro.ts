import { microGroups } from '../micro/groups.ts';
import type { MicroGroup } from '../micro/groups.ts';
import { disturbedLine, measureGroup } from '../micro/measure-group.ts';
import { microTable, seedNote } from '../micro/table.ts';
import type { Bench, Subject } from '../subject.ts';

/** A subject for each group of benches beside the sources. */
export const microSubjects: readonly Subject[] = microGroups.map((group) => ({
  name: group.name,
  run: (bench) => runGroups(bench, [group]),
}));

/** All of them. */
export const micro: Subject = { name: 'micro', run: (bench) => runGroups(bench, microGroups) };

async function runGroups(
  { children, print, progress, keepBenches }: Bench,
  groups: readonly MicroGroup[],
): Promise<void> {
  let hasSeed = false;
  for (const group of groups) {
    const { benches, otherCores } = await measureGroup(children, group, progress);
    keepBenches(benches, otherCores);
    hasSeed ||= benches.some(({ seedNs }) => seedNs !== null);
    const doubt = disturbedLine(otherCores);
    print(`${group.name}: ${group.what}\n${microTable(benches)}\n${doubt === '' ? '' : `  ${doubt}\n`}`);
  }
  if (hasSeed) print(`${seedNote}\n`);
}
