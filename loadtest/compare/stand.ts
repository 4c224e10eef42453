import { writeFileSync } from 'node:fs';
import type { Children } from '../stand/children.ts';
import { startBackend, startGateway } from '../stand/servers.ts';
import type { Backend, Gateway } from '../stand/servers.ts';

/** What servers that are compared are started with. */
export interface StandOptions {
  readonly children: Children;
  /** A directory of this run alone. */
  readonly dir: string;
  /** How many each server has to hold. */
  readonly clients: number;
  /** The entry file of the gateway to measure. */
  readonly gatewayFile: string;
  readonly cpuProfileDir: string | undefined;
}

/** What a gateway may hold to its backend: enough for whatever the load has under way. */
const room = { maxInFlightPerConnection: 8192, queue: { maxSize: 20_000 } };

/** Returns what session mode needs to hold a connection for each client. */
export function sessionPool(clients: number): Readonly<Record<string, unknown>> {
  return { mode: 'session', maxConnections: clients };
}

/** Returns what a mode with shared connections needs. */
export function sharingPool(
  mode: 'request' | 'mux',
  minConnections: number,
  maxConnections: number,
): Readonly<Record<string, unknown>> {
  return { mode, minConnections, maxConnections, ...room };
}

/** Starts a gateway, called `name`, whose one pool is in front of `backend`. */
export async function startPooling(
  { children, dir, gatewayFile, cpuProfileDir }: StandOptions,
  name: string,
  backend: Backend,
  pool: Readonly<Record<string, unknown>>,
): Promise<Gateway> {
  const upstreamPath = `/${name.replaceAll(/\W/g, '-')}`;
  const configFile = `${dir}${upstreamPath}.json`;
  const main = { upstreams: [`${backend.url}${upstreamPath}`], ...pool };
  writeFileSync(configFile, JSON.stringify({ pools: { main } }));
  return startGateway(children, {
    ...{ name, file: gatewayFile, args: ['--config', configFile] },
    ...{ cpuProfileDir, backend, upstreamPath },
  });
}

/** The back ends of a run, each started when it is first asked for. */
export class Backends {
  readonly #children: Children;
  readonly #started = new Map<string, Promise<Backend>>();

  constructor(children: Children) {
    this.#children = children;
  }

  /** Returns the one backend that speaks this. */
  of(protocol: 'jsonrpc' | 'mux'): Promise<Backend> {
    let backend = this.#started.get(protocol);
    if (!backend) {
      backend = startBackend(this.#children, protocol);
      this.#started.set(protocol, backend);
    }
    return backend;
  }
}
