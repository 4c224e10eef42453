import type { UpstreamReport } from './pools-control.ts';

/** Since when something is as it is. */
export interface Since {
  /** ISO 8601, in UTC. */
  readonly since: string;
  readonly ageSeconds: number;
}

/** An upstream address of a pool: `untried` was never dialled, `paused` is all of a paused pool. */
export interface UpstreamHealth extends Since {
  readonly upstream: string;
  readonly state: UpstreamReport['state'];
  readonly connections: number;
  readonly inFlight: number;
  /** What went wrong there last, however long ago; null when nothing has. */
  readonly lastFailure: {
    readonly kind: 'dial' | 'lost' | 'silent' | 'faulty';
    readonly detail: string;
    readonly at: string;
    readonly ageSeconds: number;
  } | null;
}

/** A pool: `down` where a client would wait for nothing, `degraded` where some of its upstreams get nothing. */
export interface PoolHealth {
  readonly name: string;
  readonly mode: string;
  readonly state: 'ok' | 'degraded' | 'down' | 'paused';
  /** Its backend is inside the gateway, and is as well as the gateway is. */
  readonly embedded: boolean;
  readonly upstreams: readonly UpstreamHealth[];
}

/** All that the gateway depends on, each with its state and since when. */
export interface HealthReport {
  /** `down`: drains, or has no pool with an upstream. `degraded`: serves, and something of what is below is not as it should be. */
  readonly status: 'ok' | 'degraded' | 'down';
  /** What is not as it should be, a line each; empty where the status is ok. */
  readonly problems: readonly string[];
  readonly version: string;
  readonly uptimeSeconds: number;
  readonly listener: Since & {
    readonly state: 'accepting' | 'full' | 'draining';
    readonly connections: number;
    readonly maxConnections: number;
  };
  /** `late`: something that was due ran more than 200 ms late in the last second. */
  readonly eventLoop: Since & {
    readonly state: 'ok' | 'late';
    readonly lagMs: number;
    readonly utilization: number;
  };
  /** `high`: more than 80 % of what the process, or its heap, may use. */
  readonly memory: Since & {
    readonly state: 'ok' | 'high';
    readonly rssBytes: number;
    readonly limitBytes: number;
    readonly heapUsedBytes: number;
    readonly heapLimitBytes: number;
  };
  /** What shares the rate limits; absent where none is configured. */
  readonly redis?: Since & { readonly state: 'up' | 'down' };
  readonly pools: readonly PoolHealth[];
}

/** What the admin API needs for /health/detailed. */
export interface HealthControl {
  report(): HealthReport;
}
