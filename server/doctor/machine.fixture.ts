import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tempDir } from '../../test/support/temp-dir.ts';
import { MachineFiles } from './machine-files.ts';

/** What a kernel says, by the path of the file; null for a file that is not there. */
export type Told = Readonly<Record<string, string | null>>;

/** A server of 16 GiB as Debian sets it up, with the limits that systemd gives. */
const server: Told = {
  'proc/self/limits': limitsOf('524288'),
  'proc/self/cgroup': '0::/system.slice/wsluice.slice/wsluice@a.service',
  'proc/meminfo': 'MemTotal:       16384000 kB\nMemAvailable:   15728640 kB',
  'proc/sys/fs/nr_open': '1048576',
  'proc/sys/fs/file-max': '9223372036854775807',
  'proc/sys/fs/file-nr': '1024\t0\t9223372036854775807',
  'proc/sys/net/core/somaxconn': '4096',
  'proc/sys/net/ipv4/ip_local_port_range': '32768\t60999',
  'proc/sys/net/ipv4/ip_local_reserved_ports': '',
  'proc/sys/net/ipv4/tcp_mem': '188319\t251092\t376638',
  'sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory hugetlb pids',
};

/** The files of a machine that differs from that server in what is given. */
export function madeUpMachine(told: Told = {}): MachineFiles {
  const root = tempDir();
  for (const [path, text] of Object.entries({ ...server, ...told })) {
    if (text === null) continue;
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), `${text}\n`);
  }
  return new MachineFiles(root);
}

/** A machine that tells nothing. */
export function silentMachine(): MachineFiles {
  return new MachineFiles(tempDir());
}

/** /proc/<pid>/limits with so many open files. */
export function limitsOf(hard: string, soft = '1024'): string {
  return [
    'Limit                     Soft Limit           Hard Limit           Units     ',
    'Max processes             192729               192729               processes ',
    `Max open files            ${soft.padEnd(20)} ${hard.padEnd(20)} files     `,
  ].join('\n');
}
