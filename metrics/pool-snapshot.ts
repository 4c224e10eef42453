import type { HistogramView } from './histogram.ts';

/** What one pool tells a scrape; counts without a unit are totals since its start unless they say "now". */
export interface PoolSnapshot {
  readonly name: string;
  /** Upstream connections now, by state. */
  readonly connections: {
    readonly dialing: number;
    readonly idle: number;
    readonly busy: number;
    readonly draining: number;
  };
  /** Requests now unanswered upstream. */
  readonly inFlight: number;
  /** Requests or clients now queued for an upstream connection. */
  readonly waiting: number;
  /** Subscriptions now: what clients have, and what lives upstream. */
  readonly subscriptions: { readonly client: number; readonly upstream: number };
  /** Calls answered by an identical one that was in flight. */
  readonly coalesced: number;
  /** Messages of clients that went on without having been looked into. */
  readonly passedOn: number;
  /** accepted = replied + errored + abandoned + those still under way. */
  readonly accepted: number;
  readonly replied: number;
  readonly errored: number;
  readonly abandoned: number;
  readonly droppedUnknownId: number;
  readonly droppedUnowned: number;
  readonly droppedMalformed: number;
  readonly upstreamsLost: number;
  readonly retries: number;
  /** Requests that took long, or had no answer in time. */
  readonly slow: number;
  readonly upstreamLatency: HistogramView;
  /** The most upstream connections there may be. */
  readonly maxConnections: number;
  /** What of all that those can carry is in use now, 0 to 1. */
  readonly usedRatio: number;
  readonly paused: boolean;
  /** False while every upstream is known to be out of reach. */
  readonly healthy: boolean;
  /** Its upstreams now, each under a label of its own. */
  readonly endpoints: readonly {
    readonly upstream: string;
    /** 0 closed, 1 open, 2 half-open. */
    readonly breaker: number;
    readonly ejected: boolean;
  }[];
}
