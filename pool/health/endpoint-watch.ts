import { BreakerState } from './breaker.ts';
import type { PoolLog } from '../pool-log.ts';
import type { Endpoint } from '../endpoint.ts';
import { Outliers, type OutlierOptions } from './outliers.ts';

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

  constructor(options: EndpointWatchOptions) {
    this.#options = options;
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
    }
    return more;
  }

  #watch(endpoint: Endpoint): void {
    if (this.#options.careful) endpoint.slowStart.beginCarefully();
    endpoint.breaker.onChange = (state) => this.#onChange(endpoint, state);
  }

  #onChange(endpoint: Endpoint, state: BreakerState): void {
    const { log, pool } = this.#options;
    const about = { pool, upstream: endpoint.label };
    if (state === BreakerState.closed) log.info(about, 'breaker closed');
    else if (state === BreakerState.halfOpen) log.info(about, 'breaker half-open: one probe at a time');
    else {
      log.warn(about, 'breaker opened: nothing goes to this upstream');
      this.onBreakerOpened();
    }
  }
}
