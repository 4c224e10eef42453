import { BreakerState } from './breaker.ts';
import type { PoolLog } from '../pool-log.ts';
import type { Endpoint } from '../endpoint.ts';
import { Outliers, type OutlierOptions } from './outliers.ts';
import { UpstreamLog } from './upstream-log.ts';

export interface EndpointWatchOptions {
  readonly pool: string;
  /** The endpoints as they are now: there may be others later. */
  readonly endpoints: () => readonly Endpoint[];
  /** Without it none is ejected. */
  readonly outlier: OutlierOptions | undefined;
  /** What is chosen by latency is asked little until it has answered something. */
  readonly careful: boolean;
  readonly random: () => number;
  readonly log: PoolLog;
}

/** Sees to what endpoints do with time: breakers let probes go, ejections end, slow starts proceed. It logs each change, once. */
export class EndpointWatch {
  /** Called when a breaker opened: what waits may wait for nothing. */
  onBreakerOpened: () => void = () => undefined;
  readonly #options: EndpointWatchOptions;
  readonly #outliers: Outliers | undefined;
  readonly #upstreamLog: UpstreamLog;

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
    this.#upstreamLog = new UpstreamLog(options.pool, options.log);
    const { outlier } = options;
    if (outlier !== undefined) this.#outliers = new Outliers({ ...options, settings: outlier });
    for (const endpoint of options.endpoints()) this.#watch(endpoint);
  }

  /** An endpoint was added to a running pool. */
  added(endpoint: Endpoint, nowMs: number): void {
    this.#watch(endpoint);
    this.#outliers?.watch(endpoint);
    endpoint.slowStart.begin(nowMs);
  }

  /** To be called several times a second. Returns true when something may take more than before. */
  tick(nowMs: number): boolean {
    let more = this.#outliers?.tick(nowMs) ?? false;
    for (const endpoint of this.#options.endpoints()) {
      endpoint.latency.decay(nowMs);
      if (endpoint.breaker.tick(nowMs)) more = true;
      if (endpoint.slowStart.tick(nowMs)) more = true;
      endpoint.condition.see(endpoint.state, nowMs);
      this.#upstreamLog.tick(endpoint, nowMs);
    }
    return more;
  }

  /** A dial to the endpoint failed, for the reason given. */
  dialFailed(endpoint: Endpoint, problem: string, nowMs: number): void {
    this.#upstreamLog.dialFailed(endpoint, problem, nowMs);
  }

  /** A connection to the endpoint was lost. */
  connectionLost(endpoint: Endpoint, nowMs: number): void {
    this.#upstreamLog.connectionLost(endpoint, nowMs);
  }

  #watch(endpoint: Endpoint): void {
    if (this.#options.careful) endpoint.slowStart.beginCarefully();
    endpoint.breaker.onChange = (state) => this.#onChange(endpoint, state);
  }

  #onChange(endpoint: Endpoint, state: BreakerState): void {
    this.#upstreamLog.breakerChanged(endpoint, state);
    if (state === BreakerState.open) this.onBreakerOpened();
  }
}
