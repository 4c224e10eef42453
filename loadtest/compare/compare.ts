import type { Children } from '../stand/children.ts';
import type { BenchOptions } from '../bench/options.ts';
import type { Protocol } from '../loader/script.ts';
import { measure } from './measure.ts';
import { isNoisy } from './figures.ts';
import type { Figures } from './figures.ts';
import type { Server } from '../stand/servers.ts';

/** A measured against B under one load: all runs, in the order A B A B. */
export interface Comparison {
  readonly depth: number;
  readonly clients: number;
  readonly runs: readonly Figures[];
  readonly a: Figures;
  readonly b: Figures;
}

export interface CompareOptions {
  readonly children: Children;
  readonly options: BenchOptions;
  readonly protocol: Protocol;
  readonly depth: number;
  readonly a: Server;
  readonly b: Server;
  readonly onRun: (figures: Figures) => void;
}

/** Lets A and B take turns and returns the median of each; throws as `measure` does. */
export async function compare(order: CompareOptions): Promise<Comparison> {
  const { children, options, protocol, depth } = order;
  const { clients, warmupMs, windowMs } = options;
  const runs: Figures[] = [];
  for (let round = 0; round < options.rounds; round++) {
    for (const server of [order.a, order.b]) {
      const load = { protocol, clients, depth, warmupMs, windowMs };
      const figures = await quietest(options.retries, () => measure(children, server, load));
      order.onRun(figures);
      runs.push(figures);
    }
  }
  const middle = (name: string): Figures => medianOf(runs.filter((run) => run.server === name));
  return { depth, clients, runs, a: middle(order.a.name), b: middle(order.b.name) };
}

/** Measures again, up to `retries` times, while other programs use the machine; returns the quietest run. */
export async function quietest(retries: number, run: () => Promise<Figures>): Promise<Figures> {
  let best = await run();
  for (let i = 0; i < retries && isNoisy(best); i++) {
    const next = await run();
    if (next.cores.others < best.cores.others) best = next;
  }
  return best;
}

/** Returns the median of each figure of one server's runs. */
export function medianOf(runs: readonly Figures[]): Figures {
  const median = (read: (run: Figures) => number): number => {
    const sorted = runs.map(read).sort((x, y) => x - y);
    const half = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
  };
  return {
    ...runs[0]!,
    messagesPerSecond: median((run) => run.messagesPerSecond),
    p50Us: median((run) => run.p50Us),
    p99Us: median((run) => run.p99Us),
    maxUs: median((run) => run.maxUs),
    cores: {
      loader: median((run) => run.cores.loader),
      server: median((run) => run.cores.server),
      backend: median((run) => run.cores.backend),
      others: median((run) => run.cores.others),
    },
    serverCpuUsPerMessage: median((run) => run.serverCpuUsPerMessage),
  };
}
