import { Histogram } from './histogram.ts';
import type { PoolSnapshot } from './pool-snapshot.ts';

/** A pool that has done nothing, but for `changes`. */
export function aPoolSnapshot(changes: Partial<PoolSnapshot> = {}): PoolSnapshot {
  return {
    name: 'main',
    connections: { dialing: 0, idle: 0, busy: 0, draining: 0 },
    inFlight: 0,
    waiting: 0,
    subscriptions: { client: 0, upstream: 0 },
    coalesced: 0,
    passedOn: 0,
    accepted: 0,
    replied: 0,
    errored: 0,
    abandoned: 0,
    droppedUnknownId: 0,
    droppedUnowned: 0,
    droppedMalformed: 0,
    upstreamsLost: 0,
    retries: 0,
    slow: 0,
    upstreamLatency: new Histogram(),
    maxConnections: 10,
    usedRatio: 0,
    paused: false,
    healthy: true,
    endpoints: [],
    ...changes,
  };
}
