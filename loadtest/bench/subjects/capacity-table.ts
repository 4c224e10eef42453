import type { BenchOptions } from '../options.ts';
import { aligned } from '../../result/aligned.ts';
import { grouped } from '../../result/grouped.ts';

/** CPU time per second of some processes, and of the whole machine. */
export interface Cores {
  readonly gateways: number;
  readonly loaders: number;
  readonly machine: number;
}

/** So many connections, held. */
export interface CapacityRow {
  readonly connections: number;
  readonly gateways: number;
  readonly connectsPerSecond: number;
  /** Of all gateways. */
  readonly residentBytes: number;
  /** What they have grown by since they had none. */
  readonly bytesPerConnection: number;
  /** What the kernel keeps for a connection, both ends. */
  readonly kernelBytesPerConnection: number;
  readonly idleCores: Cores;
  readonly loadCores: Cores;
  readonly messagesPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly upstreamConnections: number;
}

/** Growth of fewer connections is lost in what a process grows by anyhow. */
const leastForMemory = 1_000;

const columns = [
  'connections',
  'gateways',
  'connects/s',
  'RSS MB',
  'KB each',
  'kernel KB each',
  'cores, pings',
  'messages/s',
  'cores',
  'loaders',
  'machine',
  'p50 ms',
  'p99 ms',
  'max ms',
  'upstream',
];

/** The rows as aligned columns, and how they were measured. */
export function capacityTable(rows: readonly CapacityRow[], options: BenchOptions): string {
  const how = `request mode; each client pinged every ${options.holdMs / 1_000} s; JSON-RPC calls in an open loop, timed from when they were due`;
  return `capacity: ${how}\n${aligned([columns, ...rows.map(cells)])}`;
}

function cells(row: CapacityRow): string[] {
  const each = (bytes: number): string =>
    row.connections < leastForMemory ? '–' : (bytes / 1_000).toFixed(1);
  return [
    grouped(row.connections),
    String(row.gateways),
    grouped(row.connectsPerSecond),
    grouped(row.residentBytes / 1e6),
    each(row.bytesPerConnection),
    each(row.kernelBytesPerConnection),
    row.idleCores.gateways.toFixed(2),
    grouped(row.messagesPerSecond),
    row.loadCores.gateways.toFixed(2),
    row.loadCores.loaders.toFixed(2),
    row.loadCores.machine.toFixed(2),
    (row.p50Us / 1_000).toFixed(2),
    (row.p99Us / 1_000).toFixed(2),
    (row.maxUs / 1_000).toFixed(1),
    grouped(row.upstreamConnections),
  ];
}
