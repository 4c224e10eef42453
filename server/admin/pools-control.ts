/** An upstream address of a pool, now. */
export interface UpstreamReport {
  readonly pool: string;
  /** The URL without userinfo and query, as in logs and metrics. */
  readonly upstream: string;
  /** Connections to it, dialling ones included. */
  readonly connections: number;
  /** What is unanswered on those that clients share. */
  readonly inFlight: number;
  /** False while its last dial failed. */
  readonly reachable: boolean;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** It gets nothing for a while, for it fails where others do not. */
  readonly ejected: boolean;
  /** Milliseconds until it may be dialled again; 0 when it may now. */
  readonly retryInMs: number;
  /** It was taken out of the pool: it gets nothing new, and is gone when its last connection is. */
  readonly removed: boolean;
  /**
   * All of that in a word: `untried` was never dialled, `down` was not reached at the last dial; while the pool is paused every upstream is
   * `paused`, whatever else.
   */
  readonly state: 'untried' | 'up' | 'down' | 'breaker-open' | 'half-open' | 'ejected' | 'paused' | 'removed';
  /** For how long it has been so. */
  readonly stateAgeMs: number;
  /**
   * What went wrong there last: a `dial` failed, a connection was `lost`, it was `silent` for too long, or its answer showed that it is `faulty`;
   * null when nothing has.
   */
  readonly lastFailure: {
    readonly kind: 'dial' | 'lost' | 'silent' | 'faulty';
    /** Why a dial failed; '' otherwise. */
    readonly detail: string;
    readonly agoMs: number;
  } | null;
}

/** A pool, now. Totals count from the start of the gateway. */
export interface PoolReport {
  readonly name: string;
  readonly mode: string;
  readonly balance: string;
  /** Its backend is inside the gateway: there are no upstreams. */
  readonly embedded: boolean;
  readonly paused: boolean;
  /** False when every upstream is known to be out of reach. */
  readonly healthy: boolean;
  /** Clients connected. */
  readonly clients: number;
  readonly minConnections: number;
  readonly maxConnections: number;
  /** Upstream connections by state. */
  readonly connections: {
    readonly dialing: number;
    readonly idle: number;
    readonly busy: number;
    readonly draining: number;
  };
  /** Old connections that a reconnect, or a change of upstreams, has yet to replace. */
  readonly replacing: number;
  readonly inFlight: number;
  readonly waiting: number;
  readonly totals: {
    readonly accepted: number;
    readonly replied: number;
    readonly errored: number;
    readonly abandoned: number;
    readonly upstreamsLost: number;
    readonly retries: number;
  };
  readonly upstreams: readonly UpstreamReport[];
}

/** How a pause went: `quiet` once nothing is in flight; false when the time was over, or somebody resumed the pool meanwhile. */
export interface PauseOutcome {
  readonly quiet: boolean;
  readonly report: PoolReport;
}

/** What became of new upstreams, by their URLs without userinfo and query. */
export interface UpstreamChanges {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/**
 * What operators do to the pools of a running gateway; in request and mux mode no client is disconnected by any of it. What changes
 * a pool throws WSLUICE_POOL when there is none of that name, or it has the embedded backend, which has no upstreams.
 */
export interface PoolsControl {
  reports(): readonly PoolReport[];
  /** Undefined when there is none of that name. */
  report(pool: string): PoolReport | undefined;
  upstreams(): readonly UpstreamReport[];
  /** The URLs of a pool's upstreams, userinfo and query included; undefined where there is none, or the backend is embedded. */
  urlsOf(pool: string): readonly string[] | undefined;
  /**
   * Sends nothing to the upstreams from now on, until `resume`. Resolves when what was in flight has been answered, or after
   * `timeoutMs`; by default that is long enough for every answer that can still come.
   */
  pause(pool: string, timeoutMs?: number): Promise<PauseOutcome>;
  /** Sends what was held, in its order, and dials at once what is missing. */
  resume(pool: string): void;
  /** Replaces every upstream connection by a new one; an old one is closed as soon as a new one is there and it is empty. */
  reconnect(pool: string): void;
  /** These upstreams from now on. Those that stay keep their connections. */
  setUpstreams(pool: string, urls: readonly string[]): UpstreamChanges;
}
