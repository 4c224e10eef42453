import { median } from '../result/median.ts';
import type { Protocol } from '../loader/script.ts';

/** Whose CPU time is told apart; `others` is everything on the machine that is no part of the run. */
export type Who = 'loader' | 'server' | 'backend' | 'others';

/** One measured window of one server; CPU in cores, by process. */
export interface Figures {
  readonly server: string;
  readonly protocol: Protocol;
  readonly depth: number;
  readonly messagesPerSecond: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  readonly cores: Readonly<Record<Who, number>>;
  /** CPU time of the server per round trip. */
  readonly serverCpuUsPerMessage: number;
  /** Mean length of a reply on the wire, where messages are packed. */
  readonly frameBytes?: number | undefined;
  readonly upstreamConnections: number | undefined;
}

/** Returns the median of each figure of one server's runs, of which there is one at least. */
export function medianOf(runs: readonly Figures[]): Figures {
  const middle = (read: (run: Figures) => number): number => median(runs.map(read));
  return {
    ...runs[0]!,
    messagesPerSecond: middle((run) => run.messagesPerSecond),
    p50Us: middle((run) => run.p50Us),
    p99Us: middle((run) => run.p99Us),
    maxUs: middle((run) => run.maxUs),
    cores: {
      loader: middle((run) => run.cores.loader),
      server: middle((run) => run.cores.server),
      backend: middle((run) => run.cores.backend),
      others: middle((run) => run.cores.others),
    },
    serverCpuUsPerMessage: middle((run) => run.serverCpuUsPerMessage),
  };
}

/** Returns the medians of each server in runs of one load, in the order in which they came first. */
export function mediansOf(runs: readonly Figures[]): Figures[] {
  const names = [...new Set(runs.map(({ server }) => server))];
  return names.map((name) => medianOf(runs.filter(({ server }) => server === name)));
}
