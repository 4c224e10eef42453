import type { Packing } from './packing.ts';
import type { Protocol } from './script.ts';

/** What a loader process is told on its command line, as JSON. */
export interface LoadOrder {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly protocol: Protocol;
  /** With one, messages of 10 KB are echoed instead of the protocol's. */
  readonly packing?: Packing;
  readonly clients: number;
  readonly depth: number;
  readonly warmupMs: number;
  readonly windowMs: number;
}

/** What the loader saw between the two edges of the measured window. */
export interface LoadFigures {
  readonly replies: number;
  readonly elapsedMs: number;
  readonly p50Us: number;
  readonly p99Us: number;
  readonly maxUs: number;
  /** Mean length of the frames heard, with packing. */
  readonly frameBytes: number | undefined;
}

/** What a loader process reports, in this order; a fault may come at any time and is the last. */
export type LoadReport =
  | { readonly type: 'started' }
  | { readonly type: 'connected' }
  | { readonly type: 'window-opened' }
  | { readonly type: 'window-closed'; readonly figures: LoadFigures }
  | { readonly type: 'done' }
  | { readonly type: 'fault'; readonly reason: string };
