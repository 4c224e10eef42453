import type { Config, PoolConfig } from '../config/schema.ts';
import { ECHO } from '../config/upstream-url.ts';
import {
  bytesOfClient,
  bytesOfUpstream,
  clientHeapBytes,
  idleGatewayBytes,
  idleHeapBytes,
  upstreamHeapBytes,
} from './client-memory.ts';

/** What the clients of a configuration take of a machine, each in the pool where it takes most. */
export interface Demand {
  /** `listen.maxConnections`. */
  readonly wanted: number;
  /** Files of a client: its own, and in session mode that of its upstream connection. */
  readonly filesPerClient: number;
  /** TCP connections of a client, likewise. */
  readonly tcpPerClient: number;
  readonly bytesPerClient: number;
  readonly heapBytesPerClient: number;
  /** Upstream connections of clients of their own, in all: session mode. */
  readonly ownConnections: number;
  /** Upstream connections there may be however few clients there are: those of shared pools, and warm ones. */
  readonly sharedConnections: number;
  /** What a gateway without clients takes, with these. */
  readonly idleBytes: number;
  readonly idleHeapBytes: number;
  /** Upstream addresses that the clients of one pool are spread over, each with its own range of ports; undefined where clients need none. */
  readonly addresses: { readonly pool: string; readonly count: number } | undefined;
  /** Pools that serve only so many clients at a time. */
  readonly cappedPools: readonly CappedPool[];
  /** Clients that the pools serve at a time, all together; Infinity where one of them has no such bound. */
  readonly served: number;
}

/** A pool that serves at most `clients`, because of its `maxConnections`. */
export interface CappedPool {
  readonly pool: string;
  readonly clients: number;
  /** Clients for each upstream connection. */
  readonly perConnection: number;
}

/** What a configuration asks of a machine. Only pools that a route leads to count. */
export function demandOf({ listen, pools, routes }: Config): Demand {
  const routed = Object.entries(pools).filter(([name]) => routes.some(({ pool }) => pool === name));
  const own = routed.filter(([, pool]) => pool.mode === 'session' && !isEcho(pool));
  const shared = routed.filter(([, pool]) => pool.mode !== 'session' && !isEcho(pool));
  const kept = ([, pool]: Named): number =>
    pool.mode === 'session' ? pool.minConnections : pool.maxConnections;
  const remote = own.filter(([, { upstreams }]) => upstreams.every((url) => !isUnix(url)));
  const capped = routed.flatMap(cappedPool);
  const upstreams = [...own, ...shared];
  return {
    wanted: listen.maxConnections,
    filesPerClient: own.length > 0 ? 2 : 1,
    tcpPerClient: own.some(([, pool]) => pool.upstreams.some((url) => !isUnix(url))) ? 2 : 1,
    bytesPerClient: bytesOfClient(listen) + Math.max(0, ...own.map(([, pool]) => bytesOfUpstream(pool))),
    heapBytesPerClient: clientHeapBytes + (own.length > 0 ? upstreamHeapBytes : 0),
    ownConnections: sum(own.map(([, { maxConnections }]) => maxConnections)),
    sharedConnections: sum(upstreams.map(kept)),
    idleBytes: idleGatewayBytes + sum(upstreams.map((entry) => kept(entry) * bytesOfUpstream(entry[1]))),
    idleHeapBytes: idleHeapBytes + sum(upstreams.map((entry) => kept(entry) * upstreamHeapBytes)),
    addresses: remote
      .map(([pool, { upstreams: urls }]) => ({ pool, count: new Set(urls.map(addressOf)).size }))
      .sort((a, b) => a.count - b.count)[0],
    cappedPools: capped,
    served: capped.length === routed.length ? sum(capped.map(({ clients }) => clients)) : Infinity,
  };
}

type Named = readonly [name: string, pool: PoolConfig];

function cappedPool([name, pool]: Named): CappedPool[] {
  if (isEcho(pool) || pool.mode === 'request') return [];
  const perConnection = pool.mode === 'mux' ? pool.maxStreamsPerConnection : 1;
  return [{ pool: name, clients: pool.maxConnections * perConnection, perConnection }];
}

function isEcho({ upstreams }: PoolConfig): boolean {
  return upstreams.includes(ECHO);
}

function isUnix(url: string): boolean {
  return url.startsWith('ws+unix:');
}

function addressOf(url: string): string {
  const { protocol, host } = new URL(url);
  return `${protocol}//${host}`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
