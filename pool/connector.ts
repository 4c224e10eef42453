import type { Balancer } from './balancers/balancer.ts';
import { backoffDelayMs, type BackoffOptions } from './backoff.ts';
import { BreakerState } from './health/breaker.ts';
import { plainDial, type DialError, type Dialer, type DialRequest } from './dial.ts';
import type { Endpoint } from './endpoint.ts';
import { EndpointWatch } from './health/endpoint-watch.ts';
import { HealthChecks, type Checkable, type HealthCheckOptions } from './health/health.ts';
import type { OutlierOptions } from './health/outliers.ts';
import type { PoolLog } from './pool-log.ts';
import type { UpstreamConnection } from './upstream.ts';

export interface ConnectorOptions {
  readonly pool: string;
  readonly endpoints: readonly Endpoint[];
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly balancer: Balancer;
  readonly maxConnections: number;
  readonly reconnect: BackoffOptions;
  /** Without it no endpoint is checked. */
  readonly healthCheck?: HealthCheckOptions;
  /** Without it no endpoint is ejected. */
  readonly outlier?: OutlierOptions;
  /** The balancer goes by latency. */
  readonly byLatency?: boolean;
  readonly now: () => number;
  readonly random: () => number;
  readonly log: PoolLog;
}

export interface ConnectHandlers {
  onOpen(upstream: UpstreamConnection, endpoint: Endpoint): void;
  onFailure(error: DialError, endpoint: Endpoint): void;
}

/** Dials a pool's endpoints: keeps the connection count under its cap and remembers who is failing. */
export class Connector {
  readonly watch: EndpointWatch;
  /** The balancer goes by latency. */
  readonly byLatency: boolean;
  readonly #options: ConnectorOptions;
  /** Dials under way, by the function that gives each up. */
  readonly #dials = new Set<() => void>();
  #endpoints: readonly Endpoint[];
  /** Those that were removed, until their last connection is gone. */
  readonly #leaving = new Set<Endpoint>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#endpoints = options.endpoints;
    this.byLatency = options.byLatency ?? false;
    this.watch = new EndpointWatch({
      pool: options.pool,
      endpoints: () => this.endpoints,
      outlier: options.outlier,
      careful: this.byLatency,
      random: options.random,
      log: options.log,
    });
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Those that were removed and still have connections. */
  get leaving(): ReadonlySet<Endpoint> {
    return this.#leaving;
  }

  /** These endpoints from now on; those that are no more among them are marked as removed. */
  change(endpoints: readonly Endpoint[]): void {
    for (const endpoint of this.#endpoints) {
      if (endpoints.includes(endpoint)) continue;
      endpoint.removed = true;
      endpoint.condition.see(endpoint.state, this.#options.now());
      if (endpoint.connections > 0) this.#leaving.add(endpoint);
    }
    for (const endpoint of endpoints) {
      if (!this.#endpoints.includes(endpoint)) this.watch.added(endpoint, this.#options.now());
    }
    this.#endpoints = endpoints;
  }

  /** All endpoints may be dialled at once, whatever has happened before. */
  forgive(): void {
    for (const endpoint of this.#endpoints) endpoint.forgive(this.#options.now());
  }

  /** Active checks of the endpoints over their open connections, by this call or by pings. */
  healthChecks<C extends Checkable>(
    connections: () => Iterable<C>,
    call?: (connection: C, nowMs: number, timeoutMs: number) => void,
  ): HealthChecks<C> {
    const { healthCheck = { intervalMs: 0, timeoutMs: 0 }, random } = this.#options;
    return new HealthChecks({ ...healthCheck, connections, call, random });
  }

  get dialing(): number {
    return this.#dials.size;
  }

  /** Connections open and being dialled. */
  get total(): number {
    let total = 0;
    for (const { connections } of this.#endpoints) total += connections;
    for (const { connections } of this.#leaving) total += connections;
    return total;
  }

  get atCapacity(): boolean {
    return this.total >= this.#options.maxConnections;
  }

  /** How many more connections there may be. */
  get room(): number {
    return this.#options.maxConnections - this.total;
  }

  /** Nothing is known against one of the endpoints. */
  get anyWell(): boolean {
    return this.endpoints.some(
      ({ failures, breaker }) => failures === 0 && breaker.state === BreakerState.closed,
    );
  }

  /** True when the last dial to every endpoint failed, or its breaker is open. */
  get allFailing(): boolean {
    return this.endpoints.every((endpoint) => endpoint.failures > 0 || !endpoint.breaker.hopeful);
  }

  /** The earliest time at which some endpoint may be dialled in the background. */
  get nextRetryAtMs(): number {
    return Math.min(...this.endpoints.map((endpoint) => endpoint.dialAtMs));
  }

  /**
   * The endpoint the balancer prefers for a dial that a client waits for; an ejected or failing one only when all others are
   * excluded, one whose breaker is open never.
   */
  pick(excluded: ReadonlySet<Endpoint>): Endpoint | undefined {
    const nowMs = this.#options.now();
    const candidates = this.endpoints.filter((endpoint) => {
      endpoint.breaker.tick(nowMs);
      return endpoint.breaker.admits && !excluded.has(endpoint);
    });
    return (
      this.#options.balancer.pick(candidates) ??
      candidates.find(({ failures }) => failures === 0) ??
      candidates[0]
    );
  }

  /** The endpoint with the fewest connections that may be dialled now, of those that are not ejected; undefined while all are in back-off. */
  pickForBackground(): Endpoint | undefined {
    const nowMs = this.#options.now();
    const ready = this.endpoints.filter((endpoint) => endpoint.mayDial(nowMs));
    const wanted = ready.filter(({ standing }) => !standing.ejected);
    return (wanted.length > 0 ? wanted : ready).reduce<Endpoint | undefined>(
      (best, endpoint) => (best === undefined || endpoint.connections < best.connections ? endpoint : best),
      undefined,
    );
  }

  /** Starts a dial; the returned function gives it up. The caller has seen that `atCapacity` is false. */
  connect(endpoint: Endpoint, request: DialRequest, handlers: ConnectHandlers): () => void {
    endpoint.connections++;
    const dial = ++endpoint.dials;
    const begunAtMs = this.#options.now();
    const isProbe = endpoint.breaker.began(begunAtMs);
    const cancel = this.#options.dialer.dial(endpoint, request, {
      onOpen: (upstream) => {
        this.#dials.delete(giveUp);
        this.#succeeded(endpoint, begunAtMs);
        handlers.onOpen(upstream, endpoint);
      },
      onFailure: (error) => {
        this.#dials.delete(giveUp);
        this.#left(endpoint);
        // An answer in the 400s to what a client asked for is about the client; the endpoint is well.
        const aboutClient = request !== plainDial && error.status !== undefined && error.status < 500;
        if (isProbe && !aboutClient) endpoint.breaker.failed(begunAtMs, this.#options.now());
        if (!aboutClient) this.#failed(endpoint, error, dial, begunAtMs);
        else if (!error.unsendable) this.#succeeded(endpoint, begunAtMs);
        else if (isProbe) endpoint.breaker.abandoned();
        handlers.onFailure(error, endpoint);
      },
    });
    const giveUp = (): void => {
      if (!this.#dials.delete(giveUp)) return;
      this.#left(endpoint);
      if (isProbe) endpoint.breaker.abandoned();
      cancel();
    };
    this.#dials.add(giveUp);
    return giveUp;
  }

  /** Gives up all dials under way. */
  close(): void {
    for (const giveUp of this.#dials) giveUp();
  }

  /**
   * An open connection to the endpoint is gone. Unexpected ends that come soon after the opening make the back-off grow; with a
   * goodbye (`graceful`) they say nothing against the endpoint, and only those that come at once make it grow.
   */
  closed(endpoint: Endpoint, expected: boolean, graceful = false): void {
    this.#left(endpoint);
    endpoint.latency.forgetAsked();
    if (expected) return;
    const nowMs = this.#options.now();
    if (!graceful) this.watch.connectionLost(endpoint, nowMs);
    // Connections that are lost together are one loss.
    if (!endpoint.openedSinceLoss) return;
    endpoint.openedSinceLoss = false;
    const livedMs = nowMs - endpoint.openedAtMs;
    const { baseDelayMs, maxDelayMs } = this.#options.reconnect;
    if (graceful && livedMs > baseDelayMs) endpoint.losses = 0;
    if (livedMs > maxDelayMs) {
      endpoint.losses = 0;
      endpoint.breaker.succeeded(endpoint.openedAtMs, nowMs);
    }
    endpoint.retryAtMs = nowMs + this.#backoffMs(endpoint.losses++);
    if (!graceful) endpoint.lost(nowMs);
  }

  #left(endpoint: Endpoint): void {
    if (--endpoint.connections === 0) this.#leaving.delete(endpoint);
  }

  #succeeded(endpoint: Endpoint, begunAtMs: number): void {
    const { now } = this.#options;
    // Where connections are opened and then broken, an opening proves nothing; an answer will.
    const { state } = endpoint.breaker;
    if (endpoint.losses === 0 || state !== BreakerState.closed) endpoint.breaker.succeeded(begunAtMs, now());
    endpoint.failures = 0;
    endpoint.retryAtMs = 0;
    endpoint.openedAtMs = now();
    endpoint.openedSinceLoss = true;
  }

  #failed(endpoint: Endpoint, error: DialError, dial: number, begunAtMs: number): void {
    const { now } = this.#options;
    this.watch.dialFailed(endpoint, error.message, now());
    endpoint.condition.failed(now(), 'dial', error.message);
    // Dials that were under way together fail together: the back-off grows with rounds, not with dials.
    if (endpoint.failures > 0 && dial <= endpoint.dialsOfFailure) return;
    endpoint.dialsOfFailure = endpoint.dials;
    endpoint.retryAtMs = now() + this.#backoffMs(endpoint.failures);
    endpoint.failures++;
    endpoint.breaker.failed(begunAtMs, now());
  }

  #backoffMs(attempt: number): number {
    return backoffDelayMs(this.#options.reconnect, attempt, this.#options.random);
  }
}
