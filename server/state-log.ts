import { Episode } from '../pool/health/episode.ts';
import { RefusalWatch } from './refusal-watch.ts';

/** A pool as the log watches it. */
export interface WatchedPool {
  readonly name: string;
  readonly healthy: boolean;
  /** One of its upstreams is well, for all that is known. */
  readonly well: boolean;
  readonly turnedAway: number;
}

/** How often a rate limit has refused, and would have if it did more than watch. */
export interface WatchedLimit {
  readonly name: string;
  readonly onExceed: string;
  readonly refused: number;
  readonly wouldHaveRefused: number;
}

export interface StateLogOptions {
  readonly pools: Iterable<WatchedPool>;
  /** All rate limits as they are now. */
  readonly limits: () => readonly WatchedLimit[];
  /** Clients refused so far because there are enough, in all or from one address. */
  readonly refusedAtCap: (cap: 'total-cap' | 'per-ip-cap') => number;
  readonly maxConnections: number;
  readonly maxConnectionsPerIp: number;
  readonly log: {
    info(data: object, message: string): void;
    warn(data: object, message: string): void;
  };
  readonly now: () => number;
}

const tickMs = 250;
const healthyAfterMs = 1_000;

/**
 * Writes a line when something of the gateway's begins to go wrong, and one when that is over. It looks at counters several times a
 * second, so a million refusals are two lines, and cost nothing beyond being counted.
 */
export class StateLog {
  readonly #options: StateLogOptions;
  readonly #watches: RefusalWatch[];
  readonly #outages: ReadonlyMap<WatchedPool, Episode>;
  /** By their names, what they refuse and what they would refuse. */
  readonly #limits = new Map<string, readonly RefusalWatch[]>();
  #watched: ReadonlyMap<string, WatchedLimit> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StateLogOptions) {
    this.#options = options;
    const pools = [...options.pools];
    this.#watches = [...this.#capWatches(), ...pools.map((pool) => this.#fullWatch(pool))];
    this.#outages = new Map(pools.map((pool) => [pool, new Episode(healthyAfterMs)]));
  }

  start(): void {
    this.#timer = setInterval(() => this.tick(), tickMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Done several times a second. */
  tick(): void {
    const nowMs = this.#options.now();
    for (const watch of this.#watches) watch.tick(nowMs);
    for (const [pool, outage] of this.#outages) this.#watchHealth(pool, outage, nowMs);
    this.#watchLimits(nowMs);
  }

  #watchHealth(pool: WatchedPool, outage: Episode, nowMs: number): void {
    const { log } = this.#options;
    const about = { pool: pool.name };
    if (!pool.healthy) {
      if (outage.sign(nowMs)) log.warn(about, 'pool has no upstream');
    } else if (pool.well && outage.isOver(nowMs)) {
      log.info({ ...about, forMs: outage.ageMs(nowMs) }, 'pool has an upstream again');
      outage.end(nowMs);
    }
  }

  #fullWatch(pool: WatchedPool): RefusalWatch {
    const { log } = this.#options;
    const about = { pool: pool.name };
    return new RefusalWatch({
      count: () => pool.turnedAway,
      onBegin: () => log.warn(about, 'pool is full: requests or clients are turned away'),
      onEnd: (outcome) => log.info({ ...about, ...outcome }, 'pool has room again'),
    });
  }

  #capWatches(): RefusalWatch[] {
    const { log, refusedAtCap, maxConnections, maxConnectionsPerIp } = this.#options;
    return [
      new RefusalWatch({
        count: () => refusedAtCap('total-cap'),
        onBegin: () => log.warn({ maxConnections }, 'connection cap reached: clients are refused'),
        onEnd: (outcome) => log.info(outcome, 'no more clients are refused at the connection cap'),
      }),
      new RefusalWatch({
        count: () => refusedAtCap('per-ip-cap'),
        onBegin: () =>
          log.warn({ maxConnectionsPerIp }, 'connection cap of an address reached: clients are refused'),
        onEnd: (outcome) =>
          log.info(outcome, 'no more clients are refused at the connection cap of an address'),
      }),
    ];
  }

  #watchLimits(nowMs: number): void {
    this.#watched = new Map(this.#options.limits().map((limit) => [limit.name, limit]));
    for (const name of this.#limits.keys()) {
      if (this.#watched.has(name)) continue;
      for (const watch of this.#limits.get(name)!) watch.stop(nowMs);
      this.#limits.delete(name);
    }
    for (const name of this.#watched.keys()) {
      if (!this.#limits.has(name)) this.#limits.set(name, this.#limitWatches(name));
      for (const watch of this.#limits.get(name)!) watch.tick(nowMs);
    }
  }

  #limitWatches(limit: string): RefusalWatch[] {
    const { log } = this.#options;
    const now = (): WatchedLimit | undefined => this.#watched.get(limit);
    return [
      new RefusalWatch({
        count: () => now()?.refused ?? 0,
        onBegin: () => log.warn({ limit, onExceed: now()?.onExceed }, 'rate limit refuses'),
        onEnd: (outcome) => log.info({ limit, ...outcome }, 'rate limit refuses no more'),
      }),
      new RefusalWatch({
        count: () => now()?.wouldHaveRefused ?? 0,
        onBegin: () => log.warn({ limit }, 'rate limit on trial would refuse'),
        onEnd: (outcome) => log.info({ limit, ...outcome }, 'rate limit on trial would refuse no more'),
      }),
    ];
  }
}
