/** Milliseconds to a reply since the start; 0 while there has been none. */
interface ResponseTimes {
  readonly averageResponseTime: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** One pool since the start. `upstream` leaves out what a request waited in the gateway. */
export interface PoolPerformance {
  readonly name: string;
  readonly accepted: number;
  readonly replied: number;
  readonly errored: number;
  readonly abandoned: number;
  readonly slow: number;
  readonly inFlight: number;
  readonly waiting: number;
  /** Share of what it can carry that is in use now, 0 to 1. */
  readonly usedRatio: number;
  readonly upstream: ResponseTimes;
  readonly totalConnections: number;
  readonly activeConnections: number;
  readonly maxConnections: number;
}

/** What /api/admin/performance answers; counts are since the start, but for what says otherwise. */
export interface PerformanceReport {
  readonly performance: ResponseTimes & {
    /** Requests in request mode, answered or not; where messages are not looked into, every one from a client counts as one. */
    readonly totalRequests: number;
    /** That took `log.slowRequestMs` or longer, or had no answer in time. */
    readonly slowRequests: number;
    /** Requests that ended in an error made by the gateway; and their share of all, 0 to 1. */
    readonly errors: number;
    readonly errorRate: number;
    /** Answered in the last second, as far as it was measured. */
    readonly requestsPerSecond: number;
  };
  /** Connections to upstreams now, all pools together. */
  readonly pool: {
    readonly totalConnections: number;
    readonly activeConnections: number;
    readonly idleConnections: number;
    readonly dialingConnections: number;
    readonly maxConnections: number;
    readonly inFlight: number;
    readonly waiting: number;
  };
  readonly clients: {
    readonly open: number;
    readonly max: number;
    readonly messagesReceived: number;
    readonly messagesSent: number;
    /** websocket_errors_total, by type. */
    readonly errors: Readonly<Record<string, number>>;
  };
  /** In MB, of 1,048,576 bytes. */
  readonly memory: {
    readonly heapUsed: number;
    readonly heapTotal: number;
    readonly external: number;
    readonly rss: number;
    readonly limit: number;
  };
  readonly uptimeSeconds: number;
  readonly pools: readonly PoolPerformance[];
}
