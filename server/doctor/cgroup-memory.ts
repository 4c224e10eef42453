import { posix } from 'node:path';
import { isEndless } from './limit.ts';
import type { MachineFiles } from './machine-files.ts';

/** The tightest memory limit of the control groups that a process is in. */
export interface CgroupMemory {
  readonly limitBytes: number;
  /** What the group uses of it now, without the page cache that the kernel would give back. */
  readonly usedBytes: number;
  /** The folder of the group, under /sys/fs/cgroup. */
  readonly group: string;
}

interface Hierarchy {
  readonly mount: string;
  /** Files with a limit each; the least counts. */
  readonly limits: readonly string[];
  readonly used: string;
  readonly inactive: string;
}

const version2: Hierarchy = {
  mount: 'sys/fs/cgroup',
  limits: ['memory.max', 'memory.high'],
  used: 'memory.current',
  inactive: 'inactive_file',
};
const version1: Hierarchy = {
  mount: 'sys/fs/cgroup/memory',
  limits: ['memory.limit_in_bytes'],
  used: 'memory.usage_in_bytes',
  inactive: 'total_inactive_file',
};

/** The memory limit that a process is under, with version 1 or 2 of control groups; undefined when there is none. */
export function readCgroupMemory(files: MachineFiles, pid: string): CgroupMemory | undefined {
  const lines = (files.text(`proc/${pid}/cgroup`) ?? '').split('\n').map((line) => line.split(':'));
  const unified = files.text('sys/fs/cgroup/cgroup.controllers') !== undefined;
  const hierarchy = unified ? version2 : version1;
  const line = lines.find(([, controllers = '']) =>
    unified ? controllers === '' : controllers.split(',').includes('memory'),
  );
  const groups = withAncestors(line?.slice(2).join(':') ?? '/');
  return groups
    .flatMap((group) => memoryOf(files, hierarchy, group))
    .reduce<CgroupMemory | undefined>(
      (least, group) => (least === undefined || room(group) < room(least) ? group : least),
      undefined,
    );
}

function room({ limitBytes, usedBytes }: CgroupMemory): number {
  return limitBytes - usedBytes;
}

/** A group and all that it is in. Where a container sees only its own part, the folders of the path are missing and the root counts. */
function withAncestors(path: string): string[] {
  const parent = posix.dirname(path);
  return parent === path ? [path] : [path, ...withAncestors(parent)];
}

function memoryOf(files: MachineFiles, hierarchy: Hierarchy, group: string): CgroupMemory[] {
  const folder = posix.join(hierarchy.mount, group);
  const limitBytes = Math.min(
    ...hierarchy.limits.map((file) => files.number(`${folder}/${file}`) ?? Infinity),
  );
  if (isEndless(limitBytes)) return [];
  const used = files.number(`${folder}/${hierarchy.used}`) ?? 0;
  const inactive = files.field(`${folder}/memory.stat`, hierarchy.inactive) ?? 0;
  return [{ limitBytes, usedBytes: Math.max(0, used - inactive), group }];
}
