import { Cluster, Redis } from 'ioredis';
import { leaseScript } from './lease-script.ts';
import type { RedisTarget } from './redis-url.ts';

/** What the script's command is called on a client. */
interface Leases {
  takeLease(key: string, ...numbers: number[]): Promise<unknown>;
}

/** A connection to a Redis, or to the nodes of a cluster, that is made once and never again. */
export type RedisClient = (Redis | Cluster) & Leases;

/** How long the steps towards a connection may take; a closed one is destroyed at the latest after `lingerMs`. */
const connectTimeoutMs = 1_000;
const sentinelTimeoutMs = 400;
const lingerMs = 100;

const scripts = { takeLease: { lua: leaseScript, numberOfKeys: 1 } };

/**
 * A client that has not connected yet. It queues nothing and repeats nothing: whoever gives units back must know that it
 * happened once at most. Commands of one turn go out in one write.
 */
export function createRedisClient(target: RedisTarget): RedisClient {
  return (target.kind === 'cluster' ? clusterClient(target) : serverClient(target)) as RedisClient;
}

/** A round trip to all masters; where there is one alone, `probe` makes it. */
export async function reachMasters(client: RedisClient): Promise<void> {
  if (!(client instanceof Cluster)) return;
  await Promise.all(client.nodes('master').map((node) => node.ping()));
}

function serverClient(target: RedisTarget): Redis {
  const { nodes, master, database, tls } = target;
  const common = { ...commonOptions(target), scripts, db: database, retryStrategy: () => null };
  if (master === undefined)
    return new Redis({ ...common, ...nodes[0]!, enableOfflineQueue: false, enableAutoPipelining: true });
  return new Redis({
    ...common,
    sentinels: nodes.map((node) => ({ ...node })),
    name: master,
    sentinelRetryStrategy: () => null,
    sentinelCommandTimeout: sentinelTimeoutMs,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    ...(tls ? { sentinelTLS: {}, enableTLSForSentinelMode: true } : {}),
  });
}

function clusterClient(target: RedisTarget): Cluster {
  const nodes = target.nodes.map((node) => ({ ...node }));
  return new Cluster(nodes, {
    lazyConnect: true,
    scripts,
    enableOfflineQueue: false,
    enableAutoPipelining: true,
    clusterRetryStrategy: () => null,
    slotsRefreshTimeout: sentinelTimeoutMs,
    // After a lost connection nobody knows whether a command ran; MOVED and ASK say that it did not.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    redisOptions: commonOptions(target),
  });
}

function commonOptions({ tls, username, password }: RedisTarget) {
  return {
    lazyConnect: true,
    connectionName: 'wsluice',
    connectTimeout: connectTimeoutMs,
    disconnectTimeout: lingerMs,
    autoResendUnfulfilledCommands: false,
    autoResubscribe: false,
    maxRetriesPerRequest: 0,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(tls ? { tls: {} } : {}),
  };
}
