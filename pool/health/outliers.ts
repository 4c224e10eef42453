import { BreakerState } from './breaker.ts';
import type { Endpoint } from '../endpoint.ts';
import type { PoolLog } from '../pool-log.ts';

/** The `outlier` section of a pool's config. */
export interface OutlierOptions {
  /** Failures in a row that eject an upstream; 0 = never. */
  readonly consecutiveFailures: number;
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** The most upstreams that are ejected at a time, as a share of all. */
  readonly maxEjectedShare: number;
  /** How long an upstream takes to get its full load, after an ejection and when it was added. */
  readonly slowStartMs: number;
  /** JSON-RPC errors of these codes are failures of the upstream. */
  readonly errorCodes: readonly number[];
}

export interface OutliersOptions {
  readonly pool: string;
  /** The endpoints as they are now: there may be others later. */
  readonly endpoints: () => readonly Endpoint[];
  readonly settings: OutlierOptions;
  readonly random: () => number;
  readonly log: PoolLog;
}

/** Part of an ejection's time that is drawn at random, so that those ejected together do not come back together. */
const jitter = 0.2;

/**
 * Passive outlier ejection: an upstream that fails again and again, by any fault of its own, while a peer does better, gets no
 * clients for a time that grows with each ejection. As in Envoy, with a limit on how many at once. Where all fail none is an outlier,
 * and where nothing better can be reached the ejected come back at once: something always gets the traffic.
 */
export class Outliers {
  readonly #options: OutliersOptions;

  constructor(options: OutliersOptions) {
    this.#options = options;
    for (const endpoint of options.endpoints()) this.watch(endpoint);
  }

  /** To be called for every endpoint that is added. */
  watch(endpoint: Endpoint): void {
    const { consecutiveFailures } = this.#options.settings;
    if (consecutiveFailures === 0) return;
    endpoint.standing.judge = (nowMs) => {
      const { failures, ejected } = endpoint.standing;
      // Not at every failure: where all are bad, most are looked at in vain.
      if (!ejected && failures % consecutiveFailures === 0) this.#judge(endpoint, nowMs);
    };
  }

  /** Ends the ejections whose time is over. Returns true when one ended. */
  tick(nowMs: number): boolean {
    const ejected = this.#options.endpoints().filter(({ standing }) => standing.ejected);
    if (ejected.length === 0) return false;
    const peers = this.#options.endpoints().filter(({ standing }) => !standing.ejected);
    const back = peers.some(isReachable)
      ? ejected.filter(({ standing }) => standing.untilMs <= nowMs)
      : ejected;
    for (const endpoint of back) this.#readmit(endpoint, nowMs);
    return back.length > 0;
  }

  #judge(endpoint: Endpoint, nowMs: number): void {
    const { settings, log, pool, random } = this.#options;
    const endpoints = this.#options.endpoints();
    const ejected = endpoints.filter(({ standing }) => standing.ejected).length;
    if (ejected + 1 > endpoints.length * settings.maxEjectedShare) return;
    const { standing } = endpoint;
    const hasBetter = endpoints.some(
      (peer) => !peer.standing.ejected && isReachable(peer) && peer.standing.failures * 2 < standing.failures,
    );
    if (!hasBetter) return;
    if (nowMs - standing.untilMs > settings.maxEjectionMs) standing.ejections = 0;
    const grown = settings.baseEjectionMs * 2 ** Math.min(standing.ejections, 30) * (1 + jitter * random());
    const ejectedMs = Math.min(grown, settings.maxEjectionMs);
    standing.eject(nowMs + ejectedMs);
    log.warn(
      { pool, upstream: endpoint.label, failures: standing.failures, ejectedMs: Math.round(ejectedMs) },
      'upstream ejected: it fails where others do not',
    );
  }

  #readmit(endpoint: Endpoint, nowMs: number): void {
    const { settings, log, pool } = this.#options;
    // On trial: the next failure ejects it again, the first good answer clears it.
    endpoint.standing.readmit(nowMs, settings.consecutiveFailures - 1);
    endpoint.slowStart.begin(nowMs);
    log.info({ pool, upstream: endpoint.label }, 'upstream is back from its ejection');
  }
}

function isReachable(endpoint: Endpoint): boolean {
  return endpoint.failures === 0 && endpoint.breaker.state === BreakerState.closed;
}
