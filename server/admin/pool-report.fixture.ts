import type { PoolReport, UpstreamReport } from './pools-control.ts';

/** An upstream that is well, but for `changes`. */
export function anUpstream(changes: Partial<UpstreamReport> = {}): UpstreamReport {
  return {
    pool: 'main',
    upstream: 'ws://10.0.0.1:9001/',
    connections: 3,
    inFlight: 2,
    reachable: true,
    breaker: 'closed',
    ejected: false,
    retryInMs: 0,
    removed: false,
    state: 'up',
    stateAgeMs: 60_000,
    lastFailure: null,
    ...changes,
  };
}

/** A pool that is well, but for `changes`. */
export function aPool(changes: Partial<PoolReport> = {}): PoolReport {
  return {
    name: 'main',
    mode: 'request',
    balance: 'least-connections',
    embedded: false,
    paused: false,
    healthy: true,
    clients: 40,
    minConnections: 1,
    maxConnections: 10,
    connections: { dialing: 0, idle: 1, busy: 2, draining: 0 },
    replacing: 0,
    inFlight: 2,
    waiting: 0,
    totals: { accepted: 100, replied: 97, errored: 1, abandoned: 0, upstreamsLost: 0, retries: 0 },
    upstreams: [anUpstream()],
    ...changes,
  };
}
