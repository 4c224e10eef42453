import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Children } from '../stand/children.ts';
import { prepareBackend, startBackend, startGateway } from '../stand/servers.ts';
import type { Backend, Gateway, PreparedBackend } from '../stand/servers.ts';
import type { StandSpec } from './scenario-file.ts';

const gatewayFile = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

export interface StandOptions {
  readonly children: Children;
  readonly spec: StandSpec;
  /** For the gateway's configuration. */
  readonly dir: string;
}

/** A gateway and its back ends, started for one run, each in a process of its own. */
export class Stand {
  readonly gateway: Gateway;
  readonly #children: Children;
  readonly #backends: Backend[];
  readonly #down = new Set<number>();
  readonly #returning = new Map<number, PreparedBackend>();

  private constructor(children: Children, gateway: Gateway, backends: Backend[]) {
    this.#children = children;
    this.gateway = gateway;
    this.#backends = backends;
  }

  /** Starts back ends that answer JSON-RPC, and a gateway in front of them; throws when one does not start. */
  static async start({ children, spec, dir }: StandOptions): Promise<Stand> {
    const backends: Backend[] = [];
    while (backends.length < spec.backends) backends.push(await startBackend(children, 'jsonrpc'));
    const file = join(dir, 'wsluice.json');
    writeFileSync(file, JSON.stringify(withUpstreams(spec.gateway, backends)));
    const args = ['--config', file];
    const gateway = await startGateway(children, { file: gatewayFile, args, cpuProfileDir: undefined });
    return new Stand(children, gateway, backends);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.gateway.port}${this.gateway.path}`;
  }

  /** The processes that run now, by name: "gateway", "backend", "backend 2". */
  get pids(): Record<string, number> {
    const pids: Record<string, number> = { gateway: this.gateway.pids()[0]! };
    for (const [i, backend] of this.#backends.entries())
      if (!this.#down.has(i + 1)) pids[i === 0 ? 'backend' : `backend ${i + 1}`] = backend.pids()[0]!;
    return pids;
  }

  /** Ends a back end, the first being 1, without a word to those connected to it. */
  async kill(backend: number): Promise<void> {
    this.#down.add(backend);
    const { port, stop } = this.#at(backend);
    await stop();
    // A process takes seconds to start on a busy machine; its return is to come when the scenario says.
    this.#returning.set(backend, prepareBackend(this.#children, 'jsonrpc', port));
  }

  /** Starts one that was killed again, on its port. */
  async restart(backend: number): Promise<void> {
    const prepared = this.#returning.get(backend);
    if (prepared === undefined) throw new Error(`back end ${backend} runs: it cannot return`);
    await prepared.listen();
    this.#returning.delete(backend);
    this.#backends[backend - 1] = prepared;
    this.#down.delete(backend);
  }

  #at(backend: number): Backend {
    const found = this.#backends[backend - 1];
    if (found === undefined) throw new Error(`the stand has no back end ${backend}`);
    return found;
  }
}

/** Where the machine is busy with something else, messages wait and are not refused: the percentiles tell. */
const patient = {
  minConnections: 4,
  maxInFlightPerConnection: 1_000,
  queue: { maxSize: 1_000_000, maxBytes: 1 << 28, timeoutMs: 30_000 },
};

/** The configuration, with the back ends as the upstreams of its pool `main`. */
function withUpstreams(
  config: Readonly<Record<string, unknown>>,
  backends: readonly Backend[],
): Record<string, unknown> {
  const pools = (config['pools'] ?? {}) as Record<string, Record<string, unknown>>;
  const main = {
    mode: 'request',
    ...patient,
    ...pools['main'],
    upstreams: backends.map(({ url }) => `${url}/wsluice`),
  };
  // The gateway is stopped when all clients are gone.
  return { drain: { spreadMs: 0, timeoutMs: 1_000 }, ...config, pools: { ...pools, main } };
}
