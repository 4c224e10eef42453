import { totalmem } from 'node:os';
import { performance } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { ProcessFigures } from '../metrics/process-families.ts';
import { packageVersion } from './package-version.ts';

/** What this process is and may use, as of now; there is one worker, which is the process itself. */
export function processFigures(connections: number, maxConnections: number): ProcessFigures {
  return {
    version: packageVersion,
    maxConnections,
    memoryLimitBytes: memoryLimitBytes(),
    heapLimitBytes: getHeapStatistics().heap_size_limit,
    workers: [{ worker: '0', connections, busySeconds: performance.eventLoopUtilization().active / 1_000 }],
  };
}

/** What this process may use of memory: the limit of its control group where it has one, else all that the machine has. */
export function memoryLimitBytes(): number {
  const constrained = process.constrainedMemory();
  const machine = totalmem();
  // Without a limit some kernels tell a number near 2^63.
  return constrained > 0 && constrained < machine ? constrained : machine;
}
