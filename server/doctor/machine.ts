import { readCgroupMemory, type CgroupMemory } from './cgroup-memory.ts';
import type { MachineFiles } from './machine-files.ts';

/** The limits of a machine, as its kernel tells them; undefined for what cannot be read. */
export interface Machine {
  /** Open files of the process. Node raises the soft limit to the hard one, which is the one that counts. */
  readonly openFiles: number | undefined;
  /** The most that `openFiles` can be set to. */
  readonly nrOpen: number | undefined;
  /** Open files of all processes together, and how many of them others than this process have. */
  readonly fileMax: number | undefined;
  readonly filesOfOthers: number | undefined;
  readonly somaxconn: number | undefined;
  /** First and last port of outgoing connections, and how many of those between are not reserved. */
  readonly portRange: readonly number[] | undefined;
  readonly ports: number | undefined;
  /** Pages that TCP may use for what waits in sockets: low, pressure, most. */
  readonly tcpMem: readonly number[] | undefined;
  /** Connections that the firewall can track; undefined where there is none, `tracked` 0 where no rule asks for it. */
  readonly conntrackMax: number | undefined;
  readonly tracked: number | undefined;
  readonly memoryAvailableBytes: number | undefined;
  readonly cgroupMemory: CgroupMemory | undefined;
  /** What the process has of memory already, where it is a gateway that runs. */
  readonly ownBytes: number;
}

/** Reads the limits that the process `pid` is under: a number, or `self`, which has nothing yet. */
export function readMachine(files: MachineFiles, pid = 'self'): Machine {
  const sysctl = (name: string): readonly number[] | undefined =>
    files.numbers(`proc/sys/${name.replaceAll('.', '/')}`);
  const running = pid !== 'self';
  const fileCount = sysctl('fs.file-nr')?.[0];
  const ownFiles = running ? (files.entries(`proc/${pid}/fd`) ?? 0) : 0;
  const ownKib = running ? (files.field(`proc/${pid}/status`, 'VmRSS') ?? 0) : 0;
  const memoryKib = files.field('proc/meminfo', 'MemAvailable');
  const portRange = sysctl('net.ipv4.ip_local_port_range');
  return {
    openFiles: readOpenFiles(files, pid),
    nrOpen: sysctl('fs.nr_open')?.[0],
    fileMax: sysctl('fs.file-max')?.[0],
    filesOfOthers: fileCount === undefined ? undefined : Math.max(0, fileCount - ownFiles),
    somaxconn: sysctl('net.core.somaxconn')?.[0],
    portRange,
    ports: portRange && countPorts(portRange, files.text('proc/sys/net/ipv4/ip_local_reserved_ports') ?? ''),
    tcpMem: sysctl('net.ipv4.tcp_mem'),
    conntrackMax: sysctl('net.netfilter.nf_conntrack_max')?.[0],
    tracked: sysctl('net.netfilter.nf_conntrack_count')?.[0],
    memoryAvailableBytes: memoryKib === undefined ? undefined : memoryKib * 1_024,
    cgroupMemory: readCgroupMemory(files, pid),
    ownBytes: ownKib * 1_024,
  };
}

/** How many files a process may have open at the same time; undefined when the kernel does not tell. */
export function readOpenFiles(files: MachineFiles, pid = 'self'): number | undefined {
  const hard = /^Max open files\s+\S+\s+(\d+|unlimited)/m.exec(files.text(`proc/${pid}/limits`) ?? '')?.[1];
  if (hard === undefined) return undefined;
  return hard === 'unlimited' ? Infinity : Number(hard);
}

/** Ports from the first to the last of a range, without the reserved ones: `8080,9000-9010`. */
function countPorts([first = 0, last = 0]: readonly number[], reserved: string): number {
  const taken = new Set<number>();
  for (const part of reserved.split(',').filter((text) => text !== '')) {
    const [from = 0, to = from] = part.split('-').map(Number);
    for (let port = Math.max(from, first); port <= Math.min(to, last); port++) taken.add(port);
  }
  return last - first + 1 - taken.size;
}
