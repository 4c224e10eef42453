import { BreakerState } from './breaker.ts';
import type { Endpoint } from '../endpoint.ts';
import type { UpstreamConnection } from '../upstream.ts';

/** How upstreams are checked; see `healthCheckIntervalMs` and `healthCheck` of a pool's config. */
export interface HealthCheckOptions {
  /** Milliseconds between two checks of one endpoint; 0 = none. */
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

/** An open connection over which an endpoint can be checked. */
export interface Checkable {
  readonly upstream: UpstreamConnection;
  readonly endpoint: Endpoint;
}

export interface HealthChecksOptions<C extends Checkable> extends HealthCheckOptions {
  readonly connections: () => Iterable<C>;
  /** Makes a real call over a connection, whose outcome finds its own way to the endpoint; absent, a ping is sent. */
  readonly call?: ((connection: C, nowMs: number, timeoutMs: number) => void) | undefined;
  readonly random: () => number;
}

interface Ping {
  readonly endpoint: Endpoint;
  readonly upstream: UpstreamConnection;
  /** What had been heard when it was sent. */
  readonly heard: number;
  readonly sentAtMs: number;
}

/** Part of the interval that is drawn at random, so that checks of many endpoints spread. */
const jitter = 0.2;

/**
 * Active health checks: each endpoint with an open connection is asked now and then whether it is well, by a call where one is
 * configured. A ping that is not answered counts against the endpoint; its pong proves that a socket is read, which says nothing of
 * the server behind it, and counts for nothing.
 */
export class HealthChecks<C extends Checkable> {
  readonly #options: HealthChecksOptions<C>;
  readonly #dueAtMs = new WeakMap<Endpoint, number>();
  #pings: Ping[] = [];
  #nextAtMs = 0;

  constructor(options: HealthChecksOptions<C>) {
    this.#options = options;
  }

  /** Begins what is due and judges what was not answered; to be called several times a second. */
  tick(nowMs: number): void {
    if (this.#pings.length > 0) this.#judgePings(nowMs);
    const { intervalMs, connections } = this.#options;
    if (intervalMs === 0 || nowMs < this.#nextAtMs) return;
    this.#nextAtMs = Infinity;
    for (const connection of connections()) {
      const { endpoint } = connection;
      // One that is new to us has its first check some time within an interval.
      const dueAtMs = this.#dueAtMs.get(endpoint) ?? nowMs + this.#options.random() * intervalMs;
      const isDue = dueAtMs <= nowMs && connection.upstream.usable;
      if (isDue) this.#check(connection, nowMs);
      const nextAtMs = isDue ? nowMs + intervalMs * (1 + jitter * (this.#options.random() - 0.5)) : dueAtMs;
      this.#dueAtMs.set(endpoint, nextAtMs);
      this.#nextAtMs = Math.min(this.#nextAtMs, nextAtMs);
    }
    if (this.#nextAtMs === Infinity) this.#nextAtMs = nowMs + Math.min(intervalMs, 1_000);
  }

  #check(connection: C, nowMs: number): void {
    const { call, timeoutMs } = this.#options;
    const { endpoint, upstream } = connection;
    if (call !== undefined) {
      if (endpoint.breaker.admits) call(connection, nowMs, timeoutMs);
    } else if (endpoint.breaker.state === BreakerState.closed) {
      this.#pings.push({ endpoint, upstream, heard: upstream.heard, sentAtMs: nowMs });
      upstream.ping();
    }
  }

  #judgePings(nowMs: number): void {
    const { timeoutMs } = this.#options;
    this.#pings = this.#pings.filter(({ endpoint, upstream, heard, sentAtMs }) => {
      // What ended meanwhile has been judged by whoever owns it.
      if (!upstream.usable || upstream.heard !== heard) return false;
      if (nowMs - sentAtMs < timeoutMs) return true;
      endpoint.timedOut(sentAtMs, nowMs);
      return false;
    });
  }
}
