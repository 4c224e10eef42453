import { setTimeout as sleep } from 'node:timers/promises';
import { grouped } from '../../result/grouped.ts';
import { cpuMs, machineCpuMs } from '../../stand/cpu.ts';
import type { LoadFigures } from '../../scale/load-figures.ts';
import { Loaders } from '../../scale/loaders.ts';
import { kernelSocketBytes, openFilesLimit, residentBytes } from '../../stand/memory.ts';
import { startGateways } from '../../stand/gateways.ts';
import { startBackend, type Backend, type Gateway } from '../../stand/servers.ts';
import type { Bench, Subject } from '../subject.ts';
import { capacityTable, type CapacityRow } from './capacity-table.ts';

/** Clients that one process, gateway or loader, may have: the kernel spreads them unevenly over gateways that share a port. */
const mostPerProcess = 15_000;
/** Files of a process that are no clients. */
const otherFiles = 1_000;
const upstreamsPerGateway = 8;
const warmUpClients = 100;
const warmUp = { ratePerSecond: 1_000, durationMs: 1_000 };
const replyTimeoutMs = 60_000;
const settleMs = 3_000;
const pauseGraceMs = 60_000;
/** Counters that are not 0. */
const counted = /^websocket_(?:errors|rejected)_total\S* [1-9]\d*$|^websocket_connections_total .*$/gm;

/** How many clients gateways hold, what each costs, and what they notice of a modest load. A client that is dropped is a fault. */
export const capacity: Subject = {
  name: 'capacity',
  async run(bench) {
    const rows: CapacityRow[] = [];
    for (const connections of bench.options.connections) {
      const row = await measureRow(bench, connections);
      rows.push(row);
      bench.print(`capacity: ${grouped(connections)} connections held, none dropped`);
    }
    bench.keepOther({ subject: 'capacity', rows });
    bench.print(`${capacityTable(rows, bench.options)}\n`);
  },
};

async function measureRow(bench: Bench, connections: number): Promise<CapacityRow> {
  const { children, progress } = bench;
  const perProcess = Math.min(mostPerProcess, openFilesLimit() - otherFiles);
  const processes = Math.ceil(connections / perProcess);
  const say = (text: string): void => progress(`capacity: ${grouped(connections)} connections: ${text} …`);

  say(`starting ${processes} gateways`);
  const backend = await startBackend(children, 'jsonrpc');
  const gateways = await startGateways({
    ...{ children, dir: bench.dir, count: processes, heartbeatMs: bench.options.holdMs },
    pool: {
      ...{ mode: 'request', upstreams: [`${backend.url}/wsluice`] },
      maxConnections: upstreamsPerGateway,
    },
    ...{ file: bench.options.gatewayFile, cpuProfileDir: bench.options.cpuProfileDir },
  });
  const pids = gateways.flatMap((gateway) => gateway.pids());
  const warm = loadersFor(bench, gateways[0]!, 1);
  await warm.connect(warmUpClients, 1);
  await answered(warm.load(warmUp));
  await warm.stop();
  await sleep(settleMs);
  const before = { resident: sumOf(pids, residentBytes), kernel: kernelSocketBytes() };

  const measured = measureCrowd({ bench, connections, processes, backend, gateways, before, say });
  const { loaders, row } = await measured.catch((fault: unknown) => explain(fault, gateways));
  await loaders.stop();
  await Promise.all([...gateways, backend].map((server) => server.stop()));
  return row;
}

interface CrowdOptions {
  readonly bench: Bench;
  readonly connections: number;
  readonly processes: number;
  readonly backend: Backend;
  readonly gateways: readonly Gateway[];
  /** What the gateways and the kernel had before. */
  readonly before: { readonly resident: number; readonly kernel: number };
  readonly say: (text: string) => void;
}

/** Connects a crowd, loads it, leaves it alone, and counts it. */
async function measureCrowd(order: CrowdOptions): Promise<{ loaders: Loaders; row: CapacityRow }> {
  const { connections, processes, backend, gateways, before, say } = order;
  const { children, options } = order.bench;
  const pids = gateways.flatMap((gateway) => gateway.pids());
  say('connecting');
  const loaders = loadersFor(order.bench, gateways[0]!, 2);
  const connectingMs = performance.now();
  await loaders.connect(connections, processes);
  const connectedMs = performance.now() - connectingMs;

  // A client that is dropped meanwhile is told of as such, not by the end of its loader.
  const pass = (ms: number): Promise<void> => children.watch('a pause', ms + pauseGraceMs, sleep(ms));
  await pass(settleMs);
  say(`${options.rate} messages/s`);
  const [loaded, loadCores] = await withCores(pids, loaders.pids, () =>
    answered(loaders.load({ ratePerSecond: options.rate, durationMs: options.holdMs, replyTimeoutMs })),
  );
  say('idle, pinged');
  const [, idleCores] = await withCores(pids, loaders.pids, () => pass(options.holdMs));

  const held = await sumOfGauges(gateways);
  if (held !== connections) throw new Error(`${connections - held} of ${connections} clients were dropped`);
  const resident = sumOf(pids, residentBytes);
  const row: CapacityRow = {
    connections,
    gateways: processes,
    connectsPerSecond: (connections / connectedMs) * 1_000,
    residentBytes: resident,
    bytesPerConnection: (resident - before.resident) / connections,
    kernelBytesPerConnection: (kernelSocketBytes() - before.kernel) / connections,
    idleCores,
    loadCores,
    messagesPerSecond: (loaded.received / options.holdMs) * 1_000,
    p50Us: loaded.latency.quantileUs(0.5),
    p99Us: loaded.latency.quantileUs(0.99),
    maxUs: loaded.latency.maxUs,
    upstreamConnections: await backend.openConnections('/wsluice'),
  };
  return { loaders, row };
}

/** A client that is lost, whenever that is, fails the bench. */
function loadersFor({ children }: Bench, { port, path }: Gateway, firstAddress: number): Loaders {
  return new Loaders({
    ...{ children, target: { host: '127.0.0.1', port, path }, manyAddresses: true, protocol: 'jsonrpc' },
    firstAddress,
    onFaults(faults) {
      const reasons = Object.values(faults).map(({ first }) => first);
      children.fail(new Error(`a client was dropped, or answered wrongly: ${reasons.join('; ')}`));
    },
  });
}

/** What the load was; throws unless each message was answered. */
async function answered(load: Promise<LoadFigures>): Promise<LoadFigures> {
  const figures = await load;
  const { received, errors, unsent, lost } = figures;
  if (received === figures.sent && unsent.total === 0) return figures;
  throw new Error(
    `${lost} messages were lost, no reply came in ${replyTimeoutMs / 1_000} s; others: ${JSON.stringify([errors.counted, unsent.counted])}`,
  );
}

/** What `work` returns, and how many cores the gateways, the loaders and all else used meanwhile. */
async function withCores<T>(
  gateways: readonly number[],
  loaders: readonly number[],
  work: () => Promise<T>,
): Promise<[T, CapacityRow['idleCores']]> {
  const now = (): number[] => [performance.now(), cpuMs(gateways), cpuMs(loaders), machineCpuMs()];
  const before = now();
  const result = await work();
  const [elapsed, gateway, loader, machine] = now().map((value, i) => value - before[i]!);
  return [
    result,
    { gateways: gateway! / elapsed!, loaders: loader! / elapsed!, machine: machine! / elapsed! },
  ];
}

/** Throws `fault` with what the gateways have counted, which says why a client was dropped. */
async function explain(fault: unknown, gateways: readonly Gateway[]): Promise<never> {
  const pages = await Promise.all(
    gateways.map((gateway) => metricsOf(gateway).catch(() => 'it does not answer')),
  );
  const told = pages.map((page) => page.match(counted)?.join(' ') ?? 'no errors, nobody refused');
  throw new Error(
    `${(fault as Error).message}\n${told.map((line, n) => `gateway ${n + 1}: ${line}`).join('\n')}`,
  );
}

async function metricsOf({ adminPort }: Gateway): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
}

async function sumOfGauges(gateways: readonly Gateway[]): Promise<number> {
  let sum = 0;
  for (const gateway of gateways)
    sum += Number(/^websocket_connections_total (\d+)$/m.exec(await metricsOf(gateway))?.[1] ?? 0);
  return sum;
}

function sumOf(pids: readonly number[], read: (pid: number) => number): number {
  return pids.reduce((sum, pid) => sum + read(pid), 0);
}
