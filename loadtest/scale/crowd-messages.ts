/** What a loader of a crowd is told on its command line, as JSON. */
export interface CrowdOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Connected from in turn: the kernel takes long to find a free port where most of an address are taken. */
  readonly localAddresses: readonly string[];
  readonly clients: number;
}

/** What it is told then. */
export interface CrowdLoad {
  /** Messages per second of all its clients. */
  readonly rate: number;
  readonly durationMs: number;
}

/** What it reports: once connected, once after each load; a fault is the last. */
export type CrowdReport =
  | { readonly type: 'connected' }
  | { readonly type: 'loaded'; readonly replies: number; readonly latency: string }
  | { readonly type: 'fault'; readonly reason: string };
