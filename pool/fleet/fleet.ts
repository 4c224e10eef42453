import type { Balancer } from '../balancers/balancer.ts';
import type { Connector } from '../connector.ts';
import type { PoolLog } from '../pool-log.ts';
import type { Endpoint } from '../endpoint.ts';
import { Renewal } from './renewal.ts';
import type { HealthChecks } from '../health/health.ts';
import type { SharedConnection } from './shared-connection.ts';
import { Supply } from './supply.ts';
import { Upkeep, type ScalingOptions } from './upkeep.ts';
import type { UpstreamConnection } from '../upstream.ts';

export interface FleetOptions<C extends SharedConnection> {
  /** The pool's name. */
  readonly name: string;
  readonly connector: Connector;
  readonly balancer: Balancer;
  readonly minConnections: number;
  /** How much one connection carries at most: requests or streams. */
  readonly capacityPerConnection: number;
  readonly scaling: ScalingOptions;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: PoolLog;
  /** Makes a shared connection of one that was just opened. */
  readonly share: (upstream: UpstreamConnection, endpoint: Endpoint) => C;
  /** How many wait for room on a connection. */
  readonly waiting: () => number;
  /** There is a connection for those who wait: a new one, or one that takes something again, as at the end of a pause. */
  readonly onOpened: (connection: C) => void;
  /** A dial failed, nothing is open and the last dial to every endpoint failed: waiting is of no use. */
  readonly onHopeless: () => void;
  /** Called every 100 ms, to end what has taken too long. */
  readonly onSweep: (nowMs: number) => void;
  /** Makes the call of a health check over a connection; absent where calls are not understood. */
  readonly callForHealth?: (connection: C, nowMs: number, timeoutMs: number) => void;
  /** Connections may take more than before, without one of them having carried less. */
  readonly onMoreRoom?: () => void;
}

const sweepIntervalMs = 100;

/** The shared connections of a pool: dialled, chosen among, replaced and closed, whatever is carried over them. */
export class Fleet<C extends SharedConnection> {
  /** Those that are open, draining ones included. */
  readonly connections: C[] = [];
  readonly #options: FleetOptions<C>;
  readonly #supply: Supply;
  readonly #upkeep: Upkeep<C>;
  readonly #renewal: Renewal<C>;
  #paused = false;
  readonly #checks: HealthChecks<C>;
  #sweepTimer: NodeJS.Timeout | undefined;

  constructor(options: FleetOptions<C>) {
    this.#options = options;
    options.connector.watch.onBreakerOpened = () => {
      if (!this.hopeful) options.onHopeless();
    };
    this.#checks = options.connector.healthChecks(() => this.connections, options.callForHealth);
    this.#supply = new Supply({
      ...options,
      onOpen: (upstream, endpoint) => this.#onOpen(upstream, endpoint),
      onFailure: () => {
        if (!this.hopeful) options.onHopeless();
      },
    });
    this.#upkeep = new Upkeep({
      ...options,
      supply: this.#supply,
      connections: this.connections,
      retire: (connection) => this.#drain(connection),
      revive: (connection) => {
        connection.draining = false;
        options.onOpened(connection);
      },
      nowMs: options.now(),
    });
    this.#renewal = new Renewal({
      room: () => options.connector.room,
      dial: (onEnded) => this.#supply.dialAnother(onEnded),
      retire: (connection) => this.retire(connection),
    });
  }

  /** Begins to dial. Not done at once, so that whoever owns the fleet is complete when it hears of it. */
  start(): void {
    this.#sweepTimer = setInterval(() => this.sweep(), sweepIntervalMs);
    this.#supply.maintain();
  }

  /** What all connections carry, by their own count. */
  get load(): number {
    return this.connections.reduce((sum, connection) => sum + connection.load, 0);
  }

  /** What the connections to each endpoint carry. */
  loads(): ReadonlyMap<Endpoint, number> {
    const loads = new Map<Endpoint, number>();
    for (const { endpoint, load } of this.connections) loads.set(endpoint, (loads.get(endpoint) ?? 0) + load);
    return loads;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Connections that `reconnect` has yet to replace. */
  get replacing(): number {
    return this.#renewal.size;
  }

  /** Everything was written, and what wants an answer has it. */
  get quiet(): boolean {
    return this.connections.every(({ load, upstream }) => load === 0 && upstream.pendingBytes === 0);
  }

  /** False when no connection may be used and the last dial to every endpoint failed: there is nothing to wait for, but in a pause. */
  get hopeful(): boolean {
    const { connector } = this.#options;
    const isUsable = this.connections.some(({ endpoint }) => endpoint.breaker.hopeful);
    return this.#paused || isUsable || !connector.allFailing;
  }

  /** Milliseconds until the next dial; what a refused client is told. */
  get retryAfterMs(): number {
    return Math.max(0, this.#options.connector.nextRetryAtMs - this.#options.now());
  }

  /** A connection that has room, or undefined. */
  pick(): C | undefined {
    return this.#options.balancer.pick(this.connections);
  }

  /** Dials one more connection when those being dialled would not do for so many that wait for one. */
  growFor(waiting: number): void {
    const coming = this.#options.connector.dialing * this.#options.capacityPerConnection;
    if (coming < waiting) this.#upkeep.grow();
  }

  /** Nothing new on this connection; it closes when it is empty, and another takes its place. */
  retire(connection: C): void {
    this.#upkeep.condemn(connection);
    this.#drain(connection);
  }

  /** Done every 100 ms. */
  sweep(): void {
    const { connector, onSweep, onMoreRoom, now } = this.#options;
    const nowMs = now();
    const hasMoreRoom = connector.watch.tick(nowMs);
    if (connector.byLatency) this.#countWaiting(nowMs);
    onSweep(nowMs);
    if (this.#paused) return;
    this.#checks.tick(nowMs);
    this.#renewal.step();
    this.#upkeep.step(nowMs);
    if (hasMoreRoom) onMoreRoom?.();
  }

  /** Nothing new on any connection and nothing dialled until `resume`. Connections that end meanwhile have not failed. */
  pause(): void {
    this.#paused = true;
    this.#supply.pause();
    for (const connection of this.connections) connection.held = true;
  }

  /** Those who wait have the connections again; what is missing is dialled at once. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    for (const connection of this.connections) connection.held = false;
    this.#supply.resume();
    for (const connection of [...this.connections]) this.#options.onOpened(connection);
  }

  /** Replaces every connection by a new one. In a pause they all go as soon as they are empty, and the new ones come with its end. */
  reconnect(): void {
    const replaced = this.connections.filter(({ draining }) => !draining && !this.#paused);
    for (const connection of [...this.connections])
      if (!replaced.includes(connection)) this.retire(connection);
    this.#renewal.begin(replaced);
  }

  /** The connector has other endpoints: those that were removed get nothing new, and the others what they lack. */
  onEndpointsChanged(): void {
    for (const connection of [...this.connections]) {
      if (connection.endpoint.removed) this.retire(connection);
    }
    this.#supply.maintain();
  }

  /** To be called when a connection carries less than before. */
  closeIfDrained(connection: C): void {
    if (!connection.draining || connection.load > 0 || connection.occupied === true) return;
    this.#remove(connection, true);
    connection.upstream.close(1000, '');
    this.#supply.maintain();
  }

  /** The connection is gone without having been asked to; 1006 stands for "without a close frame". `replace` is to be called when all that hung on it is settled. */
  lost(connection: C, code: number): void {
    const { log, name } = this.#options;
    log.debug({ pool: name, upstream: connection.upstream.label, code }, 'upstream connection ended');
    this.#remove(connection, this.#paused, code === 1000 || code === 1001);
  }

  /** Dials what is missing after a loss. */
  replace(): void {
    this.#supply.maintain();
  }

  close(code: number, reason: string): void {
    clearInterval(this.#sweepTimer);
    this.#supply.close();
    for (const connection of this.connections) connection.upstream.close(code, reason);
    this.connections.length = 0;
  }

  #drain(connection: C): void {
    connection.draining = true;
    this.closeIfDrained(connection);
  }

  #onOpen(upstream: UpstreamConnection, endpoint: Endpoint): void {
    const { log, name, share, onOpened, now } = this.#options;
    const connection = share(upstream, endpoint);
    connection.held = this.#paused;
    this.connections.push(connection);
    this.#upkeep.opened(connection, now());
    log.debug({ pool: name, upstream: upstream.label }, 'upstream connection opened');
    if (endpoint.removed) this.retire(connection);
    else onOpened(connection);
  }

  /** What is unanswered has taken at least as long as it has waited. */
  #countWaiting(nowMs: number): void {
    for (const { endpoint, oldestSentAtMs = Infinity } of this.connections) {
      endpoint.latency.waiting(nowMs - oldestSentAtMs, nowMs);
    }
  }

  #remove(connection: C, expected: boolean, graceful = false): void {
    const index = this.connections.indexOf(connection);
    if (index < 0) throw new Error('bug: a shared connection was removed twice');
    this.connections.splice(index, 1);
    this.#upkeep.closed(connection);
    this.#renewal.forget(connection);
    this.#options.connector.closed(connection.endpoint, expected, graceful);
  }
}
