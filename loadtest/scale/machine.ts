import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { openFilesLimit } from '../stand/memory.ts';
import type { Machine } from './plan.ts';

/** Returns what of this machine bounds a run (Linux; elsewhere only its open files and cores do). */
export function thisMachine(): Machine {
  const [fewest, most] = numbersIn('/proc/sys/net/ipv4/ip_local_port_range');
  const [open, , allowed] = numbersIn('/proc/sys/fs/file-nr');
  const free = /^MemAvailable:\s+(\d+) kB/m.exec(textOf('/proc/meminfo'))?.[1];
  return {
    cores: availableParallelism(),
    openFiles: openFilesLimit(),
    filesLeft: allowed === undefined ? Infinity : allowed - open!,
    memoryLeftBytes: free === undefined ? Infinity : Number(free) * 1_024,
    ports: most === undefined ? Infinity : most - fewest! + 1,
  };
}

function numbersIn(file: string): number[] {
  return (textOf(file).match(/\d+/g) ?? []).map(Number);
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}
