import { readFileSync } from 'node:fs';

const pageBytes = 4_096;

/** Returns the memory that a process has in RAM (Linux). */
export function residentBytes(pid: number): number {
  return kilobytes(`/proc/${pid}/status`, 'VmRSS') * 1_024;
}

/** Returns what the kernel keeps for sockets, both ends of loopback connections: buffers, and all of its small objects (Linux). */
export function kernelSocketBytes(): number {
  const [, pages] = /^TCP: .* mem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'latin1')) ?? [];
  return Number(pages ?? 0) * pageBytes + kilobytes('/proc/meminfo', 'Slab') * 1_024;
}

/** Returns how many files a process started by this one may open (Linux). */
export function openFilesLimit(): number {
  const [, soft] = /^Max open files\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'latin1')) ?? [];
  return Number(soft ?? 1_024);
}

function kilobytes(file: string, name: string): number {
  const [, value] = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(readFileSync(file, 'latin1')) ?? [];
  if (value === undefined) throw new Error(`${file} has no ${name}`);
  return Number(value);
}
