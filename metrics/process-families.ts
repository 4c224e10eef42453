import type { Registry } from 'prom-client';
import { registerCounter, registerGauge } from './families.ts';

/** One event loop that serves clients. */
export interface WorkerFigures {
  /** Its number, from 0. */
  readonly worker: string;
  readonly connections: number;
  /** Seconds that its event loop was not waiting, since the start. */
  readonly busySeconds: number;
}

/** What the process is, and what it may use. */
export interface ProcessFigures {
  readonly version: string;
  /** The most clients at a time. */
  readonly maxConnections: number;
  /** Of the control group where it sets one, else the machine's. */
  readonly memoryLimitBytes: number;
  /** What V8's heap may grow to. */
  readonly heapLimitBytes: number;
  readonly workers: readonly WorkerFigures[];
}

/** Publishes what `figures` returns at each scrape. */
export function registerProcessFamilies(registry: Registry, figures: () => ProcessFigures): void {
  const perWorker = (read: (worker: WorkerFigures) => number) => () =>
    figures().workers.map((worker) => [{ worker: worker.worker }, read(worker)] as const);

  registerGauge(registry, {
    name: 'wsluice_build_info',
    help: 'Always 1; the version of the gateway and of Node',
    labels: ['version', 'node'],
    read: () => [[{ version: figures().version, node: process.version }, 1]],
  });
  registerGauge(registry, {
    name: 'wsluice_connections_max',
    help: 'The most client connections at a time',
    read: () => [[{}, figures().maxConnections]],
  });
  registerGauge(registry, {
    name: 'wsluice_memory_limit_bytes',
    help: 'What the process may use of memory: the limit of its control group, else what the machine has',
    read: () => [[{}, figures().memoryLimitBytes]],
  });
  registerGauge(registry, {
    name: 'wsluice_heap_limit_bytes',
    help: 'What the heap of JavaScript may grow to',
    read: () => [[{}, figures().heapLimitBytes]],
  });
  registerGauge(registry, {
    name: 'wsluice_worker_connections',
    help: 'Client connections open now, by worker',
    labels: ['worker'],
    read: perWorker(({ connections }) => connections),
  });
  registerCounter(registry, {
    name: 'wsluice_worker_busy_seconds_total',
    help: 'Time that the event loop of a worker was not waiting; its rate is the share of a core in use',
    labels: ['worker'],
    read: perWorker(({ busySeconds }) => busySeconds),
  });
}
