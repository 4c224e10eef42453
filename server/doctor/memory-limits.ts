import type { Demand } from './demand.ts';
import { sized, type Change, type Limit } from './limit.ts';
import type { Machine } from './machine.ts';

/** The share of what is free that is counted on; above it the alert on memory fires. */
const usableShare = 0.8;

export interface MemoryOptions {
  readonly machine: Machine;
  readonly demand: Demand;
  /** The most that the heap of JavaScript may grow to. */
  readonly heapLimitBytes: number;
}

/** Memory: of the machine, of the control groups of the process, and of the heap of JavaScript. */
export function memoryLimits({ machine, demand, heapLimitBytes }: MemoryOptions): Limit[] {
  const { cgroupMemory: group, ownBytes, memoryAvailableBytes: available } = machine;
  const free = available === undefined ? undefined : available + ownBytes;
  const ofMachine: Limit = {
    name: 'memory',
    key: 'free memory',
    what: 'of the machine',
    value: free,
    shown: free === undefined ? 'unknown' : sized(free),
    ...byMemory(free, demand, (bytes) => ({
      line: `${sized(bytes)} of free memory`,
      where: 'more memory, or less that others use',
    })),
  };
  const heap = byHeap(heapLimitBytes, demand);
  if (group === undefined) return [ofMachine, heap];
  const room = Math.max(0, group.limitBytes - Math.max(0, group.usedBytes - ownBytes));
  const ofGroup: Limit = {
    name: 'cgroup-memory',
    key: 'memory of the control group',
    what: 'MemoryMax=, docker run --memory',
    value: group.limitBytes,
    shown: sized(group.limitBytes),
    ...byMemory(room, demand, (bytes) => ({
      line: `MemoryMax=${Math.ceil((group.limitBytes - room + bytes) / 2 ** 20)}M`,
      where: `in the systemd unit of the group ${group.group}; of a container it is docker run --memory`,
    })),
  };
  return [ofMachine, ofGroup, heap];
}

type Bound = Pick<Limit, 'clients' | 'note' | 'changes'>;

function byMemory(free: number | undefined, demand: Demand, change: (bytes: number) => Change): Bound {
  const { bytesPerClient, idleBytes, wanted } = demand;
  const note = `${usableShare * 100} % of it, ${sized(bytesPerClient)} for each client; messages that wait come on top`;
  if (free === undefined) return { clients: undefined, note, changes: [] };
  const clients = Math.max(0, Math.floor((free * usableShare - idleBytes) / bytesPerClient));
  const needed = (idleBytes + wanted * bytesPerClient) / usableShare;
  return { clients, note, changes: clients >= wanted ? [] : [change(needed)] };
}

function byHeap(limitBytes: number, { heapBytesPerClient, idleHeapBytes, wanted }: Demand): Limit {
  const clients = Math.max(0, Math.floor((limitBytes * usableShare - idleHeapBytes) / heapBytesPerClient));
  const needed = (idleHeapBytes + wanted * heapBytesPerClient) / usableShare;
  const line = `NODE_OPTIONS=--max-old-space-size=${Math.ceil(needed / 2 ** 20)}`;
  return {
    name: 'heap',
    key: '--max-old-space-size',
    what: 'heap of JavaScript',
    value: limitBytes,
    shown: sized(limitBytes),
    clients,
    note: `${usableShare * 100} % of it, ${sized(heapBytesPerClient)} for each client`,
    changes: clients >= wanted ? [] : [{ line, where: 'in the environment of the gateway' }],
  };
}
