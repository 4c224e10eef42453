import { deferred } from '../stand/deferred.ts';
import { fileURLToPath } from 'node:url';
import { cpuMs, machineCpuMs } from '../stand/cpu.ts';
import type { Children } from '../stand/children.ts';
import type { Figures } from './figures.ts';
import type { LoadFigures, LoadOrder, LoadReport } from '../loader/messages.ts';
import type { Server } from '../stand/servers.ts';

const loaderFile = fileURLToPath(new URL('../loader/main.ts', import.meta.url));
const graceMs = 40_000;

/** What the loader does, whichever the server. */
export type Load = Omit<LoadOrder, 'host' | 'port' | 'path'>;

interface Edge {
  readonly atMs: number;
  readonly loader: number;
  readonly server: number;
  readonly backend: number;
  readonly machine: number;
}

/** Runs one loader process against the server; throws on a wrong reply, a lost message or a process that died. */
export async function measure(children: Children, server: Server, load: Load): Promise<Figures> {
  const over = deferred<LoadFigures>();
  const edges: Edge[] = [];
  let heard: LoadReport['type'] | 'nothing' = 'nothing';
  let figures: LoadFigures | undefined;
  let upstreamConnections: Promise<number> | undefined;
  const order: LoadOrder = { ...load, host: '127.0.0.1', port: server.port, path: server.path };
  const onReport = (report: LoadReport): void => {
    heard = report.type;
    if (report.type === 'fault') over.reject(new Error(`${server.name}: ${report.reason}`));
    if (report.type === 'done') over.resolve(figures!);
    if (report.type === 'window-opened') edges.push(edgeNow(loader.pid, server));
    if (report.type !== 'window-closed') return;
    edges.push(edgeNow(loader.pid, server));
    figures = report.figures;
    upstreamConnections = server.upstreamConnections?.();
  };
  const loader = children.startNode('loader', [loaderFile, JSON.stringify(order)], (message) => {
    try {
      onReport(message as LoadReport);
    } catch (error) {
      // The CPU time of a process that has just died.
      over.reject(error as Error);
    }
  });
  const timeoutMs = load.warmupMs + load.windowMs + graceMs;
  const [seen, connections] = await children.watch(
    () => `loading ${server.name} (last heard from the loader: ${heard})`,
    timeoutMs,
    over.promise.then(async (last) => [last, await upstreamConnections] as const),
  );
  await loader.stop();
  return figuresOf(server, load, seen, edges, connections);
}

function edgeNow(loaderPid: number, server: Server): Edge {
  return {
    atMs: performance.now(),
    loader: cpuMs([loaderPid]),
    server: cpuMs(server.pids()),
    backend: cpuMs(server.backendPid === undefined ? [] : [server.backendPid]),
    machine: machineCpuMs(),
  };
}

function figuresOf(
  server: Server,
  load: Load,
  seen: LoadFigures,
  edges: readonly Edge[],
  upstreamConnections: number | undefined,
): Figures {
  const [opened, closed] = edges as [Edge, Edge];
  const coresOf = (who: Exclude<keyof Edge, 'atMs'>): number =>
    (closed[who] - opened[who]) / (closed.atMs - opened.atMs);
  const messagesPerSecond = (seen.replies / seen.elapsedMs) * 1000;
  const bench = { loader: coresOf('loader'), server: coresOf('server'), backend: coresOf('backend') };
  const others = coresOf('machine') - bench.loader - bench.server - bench.backend;
  const cores = { ...bench, others: Math.max(0, others) };
  return {
    server: server.name,
    protocol: load.protocol,
    depth: load.depth,
    messagesPerSecond,
    p50Us: seen.p50Us,
    p99Us: seen.p99Us,
    maxUs: seen.maxUs,
    frameBytes: seen.frameBytes,
    cores,
    serverCpuUsPerMessage: (cores.server / messagesPerSecond) * 1e6,
    upstreamConnections,
  };
}
