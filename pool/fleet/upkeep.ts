import type { Connector } from '../connector.ts';
import type { Endpoint } from '../endpoint.ts';
import type { SharedConnection } from './shared-connection.ts';
import { Scaler, type ScalerOptions } from './scaler.ts';
import type { Supply } from './supply.ts';

/** How the number of shared connections follows the load, and how old they get. */
export interface ScalingOptions extends ScalerOptions {
  /** Most milliseconds that a connection is used before another takes its place; 0 = no limit. */
  readonly maxLifetimeMs: number;
}

export interface UpkeepOptions<C extends SharedConnection> {
  readonly scaling: ScalingOptions;
  readonly connector: Connector;
  readonly supply: Supply;
  /** All that are open. */
  readonly connections: readonly C[];
  /** How much one connection carries at most. */
  readonly capacityPerConnection: number;
  /** How many wait for room on a connection. */
  readonly waiting: () => number;
  /** Nothing new on this connection, which closes when it is empty. */
  readonly retire: (connection: C) => void;
  /** It takes something new again. */
  readonly revive: (connection: C) => void;
  readonly random: () => number;
  readonly nowMs: number;
}

/** Connections opened together end their lives spread over this last part of them. */
const lifetimeJitter = 0.25;
/** Of so many connections one at a time may be drained to be replaced. */
const connectionsPerReplacement = 10;

/**
 * Adds and closes shared connections as the load asks for, replaces those that have lived long enough, and moves them to
 * endpoints that have fewer than others, one at a time and the new one first.
 */
export class Upkeep<C extends SharedConnection> {
  readonly #options: UpkeepOptions<C>;
  readonly #scaler: Scaler;
  readonly #expiresAtMs = new Map<C, number>();
  /** Those that were to be closed because they were too many, and carry something still. */
  readonly #spare = new Set<C>();
  /** A connection that takes the place of another is being dialled. */
  #dialing = false;
  /** One was closed before there was room for the one in its place. */
  #owesOne = false;
  #nextMoveAtMs: number;

  constructor(options: UpkeepOptions<C>) {
    this.#options = options;
    this.#scaler = new Scaler(options.scaling, options.nowMs);
    this.#nextMoveAtMs = options.nowMs + options.scaling.scaleIntervalMs;
  }

  opened(connection: C, nowMs: number): void {
    const { random, scaling } = this.#options;
    if (scaling.maxLifetimeMs === 0) return;
    const lifetimeMs = scaling.maxLifetimeMs * (1 - lifetimeJitter * random());
    this.#expiresAtMs.set(connection, nowMs + lifetimeMs);
  }

  closed(connection: C): void {
    this.#expiresAtMs.delete(connection);
    this.#spare.delete(connection);
  }

  /** It has to go for a reason that does not pass. */
  condemn(connection: C): void {
    this.#spare.delete(connection);
  }

  /** One more connection: one that was about to be closed, or a new one. */
  grow(): void {
    const { supply, revive } = this.#options;
    this.#scaler.onGrowth();
    const [spare] = this.#spare;
    if (spare?.upstream.usable !== true) return supply.grow();
    this.#spare.delete(spare);
    revive(spare);
  }

  /** To be called several times a second. */
  step(nowMs: number): void {
    const { connector, supply, capacityPerConnection } = this.#options;
    const serving = this.#serving();
    const demand = this.#demand();
    const change = this.#scaler.decide(
      {
        connections: serving.length + connector.dialing,
        slots: capacityPerConnection,
        demand,
        fewest: supply.fewest,
        most: serving.length + connector.dialing + Math.max(0, connector.room) + this.#spare.size,
      },
      nowMs,
    );
    for (let n = 0; n < change; n++) this.grow();
    for (let n = change; n < 0 && connector.dialing === 0; n++) this.#closeOne();
    if (change === 0 && !this.#dialing) this.#replaceOne(nowMs, serving, demand);
  }

  #serving(): C[] {
    return this.#options.connections.filter(({ draining, endpoint }) => !draining && endpoint.admits);
  }

  #demand(): number {
    const { connections, waiting } = this.#options;
    return connections.reduce((sum, { load, draining }) => sum + (draining ? 0 : load), waiting());
  }

  /** Of the endpoint that has most of them and more than its share, the connection with the least to finish. */
  #closeOne(): void {
    const { connector, supply, retire } = this.#options;
    const byEndpoint = this.#byEndpoint();
    const [richest] = connector.endpoints
      .filter((endpoint, index) => this.#count(byEndpoint, endpoint) > supply.shareOf(index))
      .sort((a, b) => this.#count(byEndpoint, b) - this.#count(byEndpoint, a));
    if (richest === undefined) return;
    const connection = idlest(byEndpoint.get(richest)!);
    this.#spare.add(connection);
    retire(connection);
  }

  #replaceOne(nowMs: number, serving: readonly C[], demand: number): void {
    const { connector, connections, retire, scaling, capacityPerConnection } = this.#options;
    if (this.#owesOne && connector.room > 0) {
      this.#owesOne = false;
      this.#dial(undefined);
      return;
    }
    const draining = connections.length - connections.filter((connection) => !connection.draining).length;
    if (draining >= Math.max(1, Math.floor(connections.length / connectionsPerReplacement))) return;
    const old = this.#expired(nowMs) ?? this.#misplaced(nowMs);
    if (old === undefined) return;
    if (connector.room > 0) return this.#dial(old);
    // Where there may be none more it has to go first, and the others must do meanwhile.
    const left = (serving.length - 1) * capacityPerConnection;
    if (serving.length < 2 || demand > scaling.scaleUpThreshold * left) return;
    this.#owesOne = true;
    retire(old);
  }

  /** Dials a connection that takes the place of this one, if it is still needed then. */
  #dial(old: C | undefined): void {
    const { supply, connections, retire } = this.#options;
    this.#dialing = supply.dialAnother((opened) => {
      this.#dialing = false;
      if (opened && old !== undefined && connections.includes(old) && !old.draining) retire(old);
    });
  }

  #expired(nowMs: number): C | undefined {
    for (const [connection, atMs] of this.#expiresAtMs)
      if (atMs <= nowMs && !connection.draining) return connection;
    return undefined;
  }

  /** One of the endpoint with most connections, where a sound one has at least two fewer; looked for once in an interval. */
  #misplaced(nowMs: number): C | undefined {
    if (nowMs < this.#nextMoveAtMs) return undefined;
    this.#nextMoveAtMs = nowMs + this.#options.scaling.scaleIntervalMs;
    const byEndpoint = this.#byEndpoint();
    const sound = this.#options.connector.endpoints.filter(
      ({ available, losses }) => available && losses === 0,
    );
    const counts = sound.map((endpoint) => this.#count(byEndpoint, endpoint));
    const most = Math.max(...counts);
    if (sound.length < 2 || most - Math.min(...counts) < 2) return undefined;
    return idlest(byEndpoint.get(sound[counts.indexOf(most)]!)!);
  }

  #byEndpoint(): Map<Endpoint, C[]> {
    const byEndpoint = new Map<Endpoint, C[]>();
    for (const connection of this.#options.connections) {
      if (connection.draining) continue;
      const others = byEndpoint.get(connection.endpoint);
      if (others === undefined) byEndpoint.set(connection.endpoint, [connection]);
      else others.push(connection);
    }
    return byEndpoint;
  }

  #count(byEndpoint: ReadonlyMap<Endpoint, readonly C[]>, endpoint: Endpoint): number {
    return byEndpoint.get(endpoint)?.length ?? 0;
  }
}

function idlest<C extends SharedConnection>(connections: readonly C[]): C {
  return connections.reduce((best, connection) => (connection.load < best.load ? connection : best));
}
