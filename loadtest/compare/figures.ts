/** Whose CPU time is told apart; `others` is everything on the machine that is no part of the bench. */
export type Who = 'loader' | 'server' | 'backend' | 'others';

/** One measured window of one server; CPU in cores, by process. */
export interface Figures {
  readonly server: string;
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

/** True when other programs used so much of the machine that the figures are not to be trusted. */
export function isNoisy({ cores }: Figures): boolean {
  return cores.others > 0.1;
}
