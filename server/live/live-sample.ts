import type { PoolReport } from '../admin/pools-control.ts';

/** A rate limit's scope, or a codec, by name: names that the gateway chooses, never a client. */
type ByName<Value> = Readonly<Record<string, Value>>;

/** Percentiles of the times to a reply. */
export interface LatencyMs {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** What the process uses. */
export interface ProcessSample {
  /** Processor time of all its threads ÷ time: 1 is one core in full use. */
  readonly cpuCores: number;
  readonly rssBytes: number;
  readonly heapUsedBytes: number;
  readonly heapTotalBytes: number;
  /** What the heap may grow to. */
  readonly heapLimitBytes: number;
  /** What the process may use: the limit of its control group, else the memory of the machine. */
  readonly memoryLimitBytes: number;
  /** The most that the event loop was late in this second. */
  readonly eventLoopLagMs: number;
  /** Share of this second in which the event loop had work, 0 to 1. */
  readonly eventLoopUtilization: number;
}

/**
 * A gateway in one second, but for its pools. Rates are per second; what came in this second is the rate × `spanMs` ÷ 1,000, and those of
 * consecutive samples add up to the counters of /metrics.
 */
export interface LiveHistorySample {
  /** When it was taken, in Unix milliseconds. */
  readonly at: number;
  /** How long its second was: a busy event loop is late. */
  readonly spanMs: number;
  readonly draining: boolean;
  /** Clients, and how many there may be. */
  readonly connections: { readonly open: number; readonly max: number };
  readonly perSecond: {
    /** Messages from clients, and to them. */
    readonly received: number;
    readonly sent: number;
    readonly bytesReceived: number;
    readonly bytesSent: number;
    /** Replies to clients whose time was measured: in request mode every reply. */
    readonly replies: number;
    /** websocket_errors_total, all types. */
    readonly errors: number;
    /** websocket_rejected_total, all reasons. */
    readonly rejected: number;
  };
  /** Of the replies of this second; null when there was none. */
  readonly latencyMs: LatencyMs | null;
  /** What the rate limits rejected, dropped or answered with a close, by scope, every scope at all times. */
  readonly refusedPerSecond: ByName<number>;
  /** Bytes per second through each codec, both directions together: as messages, and as they are on the wire. */
  readonly codecs: ByName<{ readonly plainBytes: number; readonly packedBytes: number }>;
  readonly process: ProcessSample;
}

/** A gateway in one second, with its pools as they were at its end. */
export interface LiveSample extends LiveHistorySample {
  readonly pools: readonly PoolReport[];
}
