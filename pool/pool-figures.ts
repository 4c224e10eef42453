import type { EndpointFigures } from './endpoint-figures.ts';
import type { SharedConnection } from './fleet/shared-connection.ts';

/** What has happened since the start. accepted = replied + errored + abandoned + what is in flight or waits now. */
export interface RequestCounts {
  accepted: number;
  replied: number;
  errored: number;
  abandoned: number;
  droppedUnknownId: number;
  droppedUnowned: number;
  droppedMalformed: number;
  upstreamsLost: number;
  retries: number;
}

export function zeroCounts(): RequestCounts {
  return {
    accepted: 0,
    replied: 0,
    errored: 0,
    abandoned: 0,
    droppedUnknownId: 0,
    droppedUnowned: 0,
    droppedMalformed: 0,
    upstreamsLost: 0,
    retries: 0,
  };
}

/** Open upstream connections, by state. */
export interface OpenConnections {
  readonly idle: number;
  readonly busy: number;
  readonly draining: number;
}

/** What a mode tells about itself. */
export interface ModeFigures extends RequestCounts {
  /** Messages of clients that went on without having been looked into, since the start. */
  readonly passedOn: number;
  readonly connections: OpenConnections;
  readonly inFlight: number;
  readonly waiting: number;
  /** What clients have subscribed, and what is subscribed upstream. */
  readonly subscriptions: { readonly client: number; readonly upstream: number };
  /** Calls answered by an identical one of somebody else's. */
  readonly coalesced: number;
}

/** What a pool tells about itself. */
export interface PoolFigures extends ModeFigures {
  readonly name: string;
  readonly connections: OpenConnections & { readonly dialing: number };
  readonly endpoints: readonly EndpointFigures[];
  readonly maxConnections: number;
  /** What of all that `maxConnections` connections can carry is in use, 0 to 1; of leased ones in session mode. 0 where the backend is embedded. */
  readonly usedRatio: number;
  readonly paused: boolean;
  readonly healthy: boolean;
}

/** The settings that bound what a pool can carry. */
export interface CapacitySettings {
  readonly mode: 'session' | 'request' | 'mux';
  readonly maxConnections: number;
  readonly maxInFlightPerConnection: number;
  readonly maxStreamsPerConnection: number;
}

/** Connections that are leased, requests in flight or streams, as a share of what there can be at most. */
export function usedRatio(
  { mode, maxConnections, maxInFlightPerConnection, maxStreamsPerConnection }: CapacitySettings,
  { connections, inFlight }: ModeFigures,
): number {
  switch (mode) {
    case 'session':
      return connections.busy / maxConnections;
    case 'request':
      return inFlight / (maxConnections * maxInFlightPerConnection);
    case 'mux':
      return inFlight / (maxConnections * maxStreamsPerConnection);
  }
}

/** The figures of a mode that has nothing to tell. */
export function noFigures(): ModeFigures {
  return {
    ...zeroCounts(),
    passedOn: 0,
    connections: { idle: 0, busy: 0, draining: 0 },
    inFlight: 0,
    waiting: 0,
    subscriptions: { client: 0, upstream: 0 },
    coalesced: 0,
  };
}

/** The states of connections that clients share. */
export function openConnections(connections: readonly SharedConnection[]): OpenConnections {
  const busy = connections.filter(({ load, draining }) => load > 0 && !draining).length;
  const draining = connections.filter((connection) => connection.draining).length;
  return { idle: connections.length - busy - draining, busy, draining };
}
