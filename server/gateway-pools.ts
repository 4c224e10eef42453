import { setTimeout as sleep } from 'node:timers/promises';
import type { PoolOperations } from '../pool/pool-operations.ts';
import type { Pool } from '../pool/pool.ts';
import type {
  PauseOutcome,
  PoolReport,
  PoolsControl,
  UpstreamChanges,
  UpstreamReport,
} from './admin/pools-control.ts';
import type { PoolConfig } from './config/schema.ts';
import type { Log } from './log.ts';

export interface GatewayPoolsOptions {
  readonly pools: ReadonlyMap<string, Pool>;
  readonly configs: Readonly<Record<string, PoolConfig>>;
  /** How many clients there are, by pool. */
  readonly clientCounts: () => ReadonlyMap<string, number>;
  readonly log: Pick<Log, 'info' | 'warn'>;
}

const quietCheckMs = 10;
/** A pause waits by default until the last request has had its answer, or the error that says there is none. */
const pauseMarginMs = 1_000;

/** What operators do to the pools of one gateway, with a line in the log for each thing done. */
export class GatewayPools implements PoolsControl {
  readonly #options: GatewayPoolsOptions;

  constructor(options: GatewayPoolsOptions) {
    this.#options = options;
  }

  reports(): readonly PoolReport[] {
    const counts = this.#options.clientCounts();
    return [...this.#options.pools.values()].map((pool) => this.#report(pool, counts));
  }

  report(name: string): PoolReport | undefined {
    const pool = this.#options.pools.get(name);
    return pool && this.#report(pool, this.#options.clientCounts());
  }

  upstreams(): readonly UpstreamReport[] {
    return [...this.#options.pools.values()].flatMap(upstreamsOf);
  }

  async pause(name: string, timeoutMs?: number): Promise<PauseOutcome> {
    const { log, configs } = this.#options;
    const pool = this.#operations(name);
    pool.pause();
    log.info({ pool: name, inFlight: pool.inFlight }, 'pool paused');
    const deadlineMs = performance.now() + (timeoutMs ?? configs[name]!.requestTimeoutMs + pauseMarginMs);
    while (pool.paused && !pool.quiet && performance.now() < deadlineMs) {
      await sleep(quietCheckMs, undefined, { ref: false });
    }
    const quiet = pool.paused && pool.quiet;
    if (quiet) log.info({ pool: name }, 'nothing is in flight in the paused pool');
    else
      log.warn({ pool: name, inFlight: pool.inFlight, paused: pool.paused }, 'gave up waiting for a pause');
    return { quiet, report: this.report(name)! };
  }

  resume(name: string): void {
    const pool = this.#operations(name);
    const { waiting } = this.#options.pools.get(name)!.snapshot();
    pool.resume();
    this.#options.log.info({ pool: name, waiting }, 'pool resumed');
  }

  /** For the end of the gateway, which what is held would otherwise never see. */
  resumeAll(): void {
    for (const [name, { operations }] of this.#options.pools)
      if (operations?.paused === true) this.resume(name);
  }

  reconnect(name: string): void {
    const pool = this.#operations(name);
    pool.reconnect();
    this.#options.log.info({ pool: name }, 'pool connects anew');
  }

  setUpstreams(name: string, urls: readonly string[]): UpstreamChanges {
    const { added, removed } = this.#operations(name).setUpstreams(urls);
    this.#options.log.info({ pool: name, added, removed }, 'upstreams replaced');
    return { added, removed };
  }

  urlsOf(name: string): readonly string[] | undefined {
    return this.#options.pools.get(name)?.operations?.urls;
  }

  #operations(name: string): PoolOperations {
    const pool = this.#options.pools.get(name);
    if (pool === undefined) throw poolFault(`there is no pool named ${JSON.stringify(name)}`);
    if (pool.operations === undefined) throw poolFault(`the backend of the pool ${name} is embedded`);
    return pool.operations;
  }

  #report(pool: Pool, clients: ReadonlyMap<string, number>): PoolReport {
    const { mode, balance, minConnections, maxConnections } = this.#options.configs[pool.name]!;
    const { connections, waiting, ...counts } = pool.snapshot();
    const { accepted, replied, errored, abandoned, upstreamsLost, retries } = counts;
    const { operations } = pool;
    return {
      ...{ name: pool.name, mode, balance, embedded: operations === undefined },
      ...{ paused: operations?.paused ?? false, healthy: pool.healthy },
      clients: clients.get(pool.name) ?? 0,
      ...{ minConnections, maxConnections, connections, replacing: operations?.replacing ?? 0 },
      ...{ inFlight: operations?.inFlight ?? 0, waiting },
      totals: { accepted, replied, errored, abandoned, upstreamsLost, retries },
      upstreams: upstreamsOf(pool),
    };
  }
}

function upstreamsOf({ name, operations }: Pool): readonly UpstreamReport[] {
  return (operations?.upstreams() ?? []).map((figures) => ({ pool: name, ...figures }));
}

function poolFault(message: string): Error {
  return Object.assign(new Error(message), { code: 'WSLUICE_POOL' });
}
