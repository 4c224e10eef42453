import type { SeatHandlers } from './client-side.ts';
import type { Connector } from './connector.ts';
import { createConnector } from './create-connector.ts';
import { loadMode, type CreateMode } from './create-mode.ts';
import type { DialRequest } from './dial.ts';
import { endpointFigures } from './endpoint-figures.ts';
import { Endpoint } from './endpoint.ts';
import type { Mode } from './mode.ts';
import { EchoMode } from './modes/echo.ts';
import type { PoolOptions } from './pool-config.ts';
import { usedRatio, type PoolFigures } from './pool-figures.ts';
import { PoolOperations } from './pool-operations.ts';
import { Priority, type PriorityName } from './waiting/priority.ts';

const defaultIdCeiling = 2 ** 52;

/** Upstream connections and the way clients share them. */
export class Pool {
  readonly name: string;
  readonly #config: PoolOptions['config'];
  readonly #mode: Mode;
  readonly #connector: Connector | undefined;
  /** What operators do to it; undefined where the backend is embedded. */
  readonly operations: PoolOperations | undefined;

  /** Loads what its mode needs before it makes any part. */
  static async open(options: PoolOptions, idCeiling: number = defaultIdCeiling): Promise<Pool> {
    const { mode, upstreams } = options.config;
    return new Pool(options, upstreams[0] === 'echo:' ? undefined : await loadMode(mode), idCeiling);
  }

  /** Without a way to make a mode it has the embedded backend. */
  private constructor(options: PoolOptions, createMode: CreateMode | undefined, idCeiling: number) {
    this.name = options.name;
    const { config, observer, now, echoStyle } = options;
    this.#config = config;
    if (createMode === undefined) {
      this.#mode = new EchoMode({ style: echoStyle, observer, now });
      return;
    }
    const { trusted, breaker, outlier } = config;
    const createEndpoint = (url: string): Endpoint =>
      new Endpoint({ url, trusted, breaker, slowStartMs: outlier.slowStartMs });
    const connector = createConnector(options, config.upstreams.map(createEndpoint));
    const mode = createMode(options, connector, idCeiling);
    this.#connector = connector;
    this.#mode = mode;
    this.operations = new PoolOperations({ connector, createEndpoint, now, mode });
  }

  /** False when every upstream is known to be out of reach; in a pause that is nobody's loss. */
  get healthy(): boolean {
    return this.operations?.paused === true || this.#mode.hopeful;
  }

  /** An upstream is well, for all that is known; true in a pool that has none. */
  get well(): boolean {
    return this.#connector?.anyWell ?? true;
  }

  /** Requests or clients that had no place so far: everything was in use, or they waited in vain. */
  get turnedAway(): number {
    return this.#mode.turnedAway;
  }

  /** Finds a place for a client; one handler is called, at once or later, unless the returned function gives up before. `priority` is the class that requests wait in. */
  acquire(request: DialRequest, handlers: SeatHandlers, priority: PriorityName = 'medium'): () => void {
    return this.#mode.acquire(request, handlers, Priority[priority]);
  }

  /** Closes every upstream connection with this code. */
  close(code: number, reason: string): void {
    this.#mode.close(code, reason);
    this.#connector?.close();
  }

  /** The figures for /metrics, as of now. */
  snapshot(): PoolFigures {
    const figures = this.#mode.figures();
    return {
      ...figures,
      name: this.name,
      connections: { dialing: this.#connector?.dialing ?? 0, ...figures.connections },
      endpoints: endpointFigures(this.#connector?.endpoints ?? []),
      maxConnections: this.#config.maxConnections,
      usedRatio: this.#connector === undefined ? 0 : usedRatio(this.#config, figures),
      paused: this.operations?.paused ?? false,
      healthy: this.healthy,
    };
  }
}
