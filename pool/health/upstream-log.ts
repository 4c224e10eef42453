import type { Endpoint } from '../endpoint.ts';
import type { PoolLog } from '../pool-log.ts';
import { BreakerState } from './breaker.ts';

/** Writes a line for each change of an upstream, however many dials, connections and probes it consists of. */
export class UpstreamLog {
  readonly #pool: string;
  readonly #log: PoolLog;

  constructor(pool: string, log: PoolLog) {
    this.#pool = pool;
    this.#log = log;
  }

  dialFailed(endpoint: Endpoint, problem: string, nowMs: number): void {
    if (!endpoint.troubles.unreachable.sign(nowMs)) return;
    this.#log.warn({ ...this.#about(endpoint), problem }, 'upstream cannot be reached');
  }

  connectionLost(endpoint: Endpoint, nowMs: number): void {
    if (!endpoint.troubles.losses.sign(nowMs)) return;
    this.#log.warn(this.#about(endpoint), 'upstream connection lost');
  }

  breakerChanged(endpoint: Endpoint, state: BreakerState): void {
    const { troubles } = endpoint;
    const about = this.#about(endpoint);
    // That probes fail while it is down is no news.
    const isNews = !troubles.probed;
    troubles.probed = state !== BreakerState.closed && (troubles.probed || state === BreakerState.halfOpen);
    if (state === BreakerState.closed) this.#log.info(about, 'breaker closed');
    else if (state === BreakerState.halfOpen)
      this.#log[isNews ? 'info' : 'debug'](about, 'breaker half-open: one probe at a time');
    else if (isNews) this.#log.warn(about, 'breaker opened: nothing goes to this upstream');
    else this.#log.debug(about, 'breaker open again: its probe failed');
  }

  /** To be called several times a second: says what is over. */
  tick(endpoint: Endpoint, nowMs: number): void {
    const { unreachable, losses } = endpoint.troubles;
    // Silence is no proof: since the last failure a connection was opened.
    if (unreachable.isOver(nowMs) && endpoint.openedAtMs >= unreachable.lastSignMs) {
      const about = { ...this.#about(endpoint), failedDials: unreachable.signs };
      this.#log.info({ ...about, forMs: unreachable.ageMs(nowMs) }, 'upstream is reachable again');
      unreachable.end(nowMs);
    }
    if (losses.isOver(nowMs) && endpoint.openedAtMs >= losses.lastSignMs) {
      const about = { ...this.#about(endpoint), lost: losses.signs };
      this.#log.info({ ...about, forMs: losses.ageMs(nowMs) }, 'no more upstream connections are lost');
      losses.end(nowMs);
    }
  }

  #about({ label }: Endpoint): { pool: string; upstream: string } {
    return { pool: this.#pool, upstream: label };
  }
}
