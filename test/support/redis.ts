import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { startChild, waitForPort, type Child } from './child.ts';
import { eventually } from './eventually.ts';
import { freePort } from './free-port.ts';
import { onTearDown } from './tear-down.ts';
import { tempDir } from './temp-dir.ts';

/** A real redis-server on loopback, without anything on disk that it would read again. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** For looking into it. */
  readonly client: Redis;
  /** It accepts connections and says nothing, until `thaw`. */
  freeze(): void;
  thaw(): void;
  kill(): Promise<void>;
  /** Starts it again, empty, on the same port. */
  restart(): Promise<void>;
}

/** Starts a redis-server with these lines of configuration besides its own. */
export async function startRedis(config: readonly string[] = []): Promise<RedisServer> {
  const dir = tempDir();
  const port = await freePort();
  const file = join(dir, 'redis.conf');
  const base = [`port ${port}`, 'bind 127.0.0.1', 'save ""', 'appendonly no', `dir ${dir}`];
  writeFileSync(file, [...base, ...config, ''].join('\n'));
  let child = await startServer(file, port);
  const client = new Redis(port, '127.0.0.1', { retryStrategy: () => 50 });
  client.on('error', () => undefined);
  onTearDown(() => client.disconnect());
  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    client,
    freeze: () => child.signal('SIGSTOP'),
    thaw: () => child.signal('SIGCONT'),
    kill: async () => {
      await child.stop('SIGKILL');
    },
    restart: async () => {
      child = await startServer(file, port);
    },
  };
}

/** A master, a replica of it, and a sentinel that fails over within a second or two. */
export interface SentinelSetup {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly url: string;
}

/** Starts a master, a replica and a sentinel, and waits until they know one another. */
export async function startSentinel(): Promise<SentinelSetup> {
  const master = await startRedis(['repl-diskless-sync-delay 0']);
  const replica = await startRedis([`replicaof 127.0.0.1 ${master.port}`]);
  const dir = tempDir();
  const port = await freePort();
  const file = join(dir, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${dir}`,
    `sentinel monitor main 127.0.0.1 ${master.port} 1`,
    'sentinel down-after-milliseconds main 500',
    'sentinel failover-timeout main 2000',
    '',
  ];
  await eventually(async () => {
    if (!(await replica.client.info('replication')).includes('master_link_status:up'))
      throw new Error('the replica has not found its master');
  });
  writeFileSync(file, lines.join('\n'));
  const child = startChild('redis-server', [file, '--sentinel']);
  await waitForPort(child, port);
  const sentinel = new Redis(port, '127.0.0.1');
  onTearDown(() => sentinel.disconnect());
  await eventually(async () => {
    const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', 'main')) as unknown[];
    if (replicas.length !== 1) throw new Error('the sentinel has not found the replica');
  }, 15_000);
  return { master, replica, url: `redis+sentinel://127.0.0.1:${port}/main` };
}

/** Three masters that share the slots of a cluster. */
export interface ClusterSetup {
  readonly nodes: readonly RedisServer[];
  readonly url: string;
}

/** Starts three nodes, gives each a third of the slots, and waits until all of them agree. */
export async function startCluster(): Promise<ClusterSetup> {
  const nodes: RedisServer[] = [];
  const busPorts: number[] = [];
  for (let i = 0; i < 3; i++) {
    const busPort = await freePort();
    busPorts.push(busPort);
    nodes.push(
      await startRedis(['cluster-enabled yes', 'cluster-node-timeout 2000', `cluster-port ${busPort}`]),
    );
  }
  for (const [i, { client }] of nodes.entries()) {
    const [first, last] = [Math.ceil((16384 * i) / 3), Math.ceil((16384 * (i + 1)) / 3) - 1];
    await client.call('CLUSTER', 'ADDSLOTSRANGE', first, last);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1);
  }
  for (const [i, { port }] of nodes.entries()) {
    await nodes[0]!.client.call('CLUSTER', 'MEET', '127.0.0.1', port, busPorts[i]!);
  }
  for (const { client } of nodes) {
    await eventually(async () => {
      const info = await client.cluster('INFO');
      if (!/cluster_state:ok/.test(info) || !/cluster_known_nodes:3/.test(info)) throw new Error(info);
    }, 15_000);
  }
  return { nodes, url: `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}` };
}

async function startServer(file: string, port: number): Promise<Child> {
  const child = startChild('redis-server', [file]);
  await waitForPort(child, port);
  return child;
}
