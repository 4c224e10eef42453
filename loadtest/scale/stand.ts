import { fileURLToPath } from 'node:url';
import type { Children } from '../stand/children.ts';
import { startGateways } from '../stand/gateways.ts';
import { startBackend, type Backend, type Gateway } from '../stand/servers.ts';
import { counted } from '../result/grouped.ts';
import type { ScaleOptions } from './options.ts';
import type { Plan } from './plan.ts';
import type { Watched } from '../stand/process-watch.ts';
import { hasManyAddresses, isLocal, targetOf, type Target } from './target.ts';
import { listeningPids } from './listening-pids.ts';

const gatewayFile = fileURLToPath(new URL('../../server/main.ts', import.meta.url));
const upstreamPath = '/wsluice';
const upstreamsPerGateway = 8;
/** As by default. */
const heartbeatMs = 30_000;
/** Each takes part in every mode that shares connections. */
const sharing = { maxConnections: upstreamsPerGateway, maxInFlightPerConnection: 8_192 };

/** What is loaded: gateways started for it, or a server that was there. */
export interface Stand {
  readonly target: Target;
  /** For people. */
  readonly name: string;
  readonly manyAddresses: boolean;
  /** Its processes, as far as they can be seen. */
  readonly watched: Watched;
  /** What those are called that clients connect to. */
  readonly serverName: 'gateway' | 'server';
  /** Connections from the gateways to the back ends now; undefined where that cannot be known. */
  readonly upstreamConnections: () => Promise<number | undefined>;
}

/** Finds the server at an address; throws when its name is unknown. */
export async function foreignStand(url: URL): Promise<Stand> {
  const target = await targetOf(url);
  const pids = isLocal(target) ? listeningPids(target.port) : [];
  return {
    ...{ target, name: url.href, manyAddresses: hasManyAddresses(target) },
    watched: pids.length > 0 ? { server: pids } : {},
    serverName: 'server',
    upstreamConnections: () => Promise.resolve(undefined),
  };
}

/** Starts gateways on one port, and back ends. */
export async function startStand(
  { mode, connections, cpuProfileDir }: ScaleOptions,
  plan: Plan,
  children: Children,
  dir: string,
): Promise<Stand> {
  const backends: Backend[] = [];
  while (backends.length < plan.backends) backends.push(await startBackend(children, backendProtocols[mode]));
  const upstreams = backends.map(({ url }) => `${url}${upstreamPath}`);
  const pools = {
    request: { mode: 'request', upstreams, ...sharing },
    mux: { mode: 'mux', upstreams, ...sharing, maxStreamsPerConnection: Math.max(4_096, connections) },
    session: { mode: 'session', upstreams, maxConnections: connections },
    echo: { mode: 'session', upstreams: ['echo:'] },
  };
  const gateways = await startGateways({
    ...{ children, dir, count: plan.gateways, pool: pools[mode], heartbeatMs },
    ...{ file: gatewayFile, cpuProfileDir },
  });
  const { port, path } = gateways[0]!;
  return {
    target: { host: '127.0.0.1', port, path },
    name: `${counted(gateways.length, 'gateway')} in ${mode} mode${backends.length > 0 ? `, ${counted(backends.length, 'backend')}` : ''}`,
    manyAddresses: true,
    watched: { gateway: pidsOf(gateways), backend: pidsOf(backends) },
    serverName: 'gateway',
    async upstreamConnections() {
      if (backends.length === 0) return undefined;
      let sum = 0;
      for (const backend of backends) sum += await backend.openConnections(upstreamPath);
      return sum;
    },
  };
}

const backendProtocols = { request: 'jsonrpc', mux: 'mux', session: 'echo', echo: 'echo' } as const;

function pidsOf(servers: readonly (Gateway | Backend)[]): number[] {
  return servers.flatMap((server) => server.pids());
}
