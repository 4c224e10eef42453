import type { Balancer } from './balancers/balancer.ts';
import { backoffDelayMs, type BackoffOptions } from './backoff.ts';
import { plainDial, type DialError, type Dialer, type DialRequest } from './dial.ts';
import type { Endpoint } from './endpoint.ts';
import type { UpstreamConnection } from './upstream.ts';

/** What is worth a line in the log; data first, then a fixed message. */
export interface PoolLog {
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
}

export interface ConnectorOptions {
  readonly pool: string;
  readonly endpoints: readonly Endpoint[];
  readonly dialer: Pick<Dialer, 'dial'>;
  readonly balancer: Balancer;
  readonly maxConnections: number;
  readonly reconnect: BackoffOptions;
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
  readonly #options: ConnectorOptions;
  /** Dials under way, by the function that gives each up. */
  readonly #dials = new Set<() => void>();
  #endpoints: readonly Endpoint[];
  /** Those that were removed, until their last connection is gone. */
  readonly #leaving = new Set<Endpoint>();

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#endpoints = options.endpoints;
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
      if (endpoint.connections > 0) this.#leaving.add(endpoint);
    }
    this.#endpoints = endpoints;
  }

  /** All endpoints may be dialled at once, whatever has happened before. */
  forgive(): void {
    for (const endpoint of this.#endpoints) endpoint.forgive();
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

  /** True when the last dial to every endpoint failed. */
  get allFailing(): boolean {
    return this.endpoints.every((endpoint) => endpoint.failures > 0);
  }

  /** The earliest time at which some endpoint may be dialled in the background. */
  get nextRetryAtMs(): number {
    return Math.min(...this.endpoints.map((endpoint) => endpoint.retryAtMs));
  }

  /** The endpoint the balancer prefers for a dial that a client waits for; a failing one only when all others are excluded. */
  pick(excluded: ReadonlySet<Endpoint>): Endpoint | undefined {
    const candidates = this.endpoints.filter((endpoint) => !excluded.has(endpoint));
    return this.#options.balancer.pick(candidates) ?? candidates[0];
  }

  /** The endpoint with the fewest connections that may be dialled now; undefined while all are in back-off. */
  pickForBackground(): Endpoint | undefined {
    const now = this.#options.now();
    const ready = this.endpoints.filter((endpoint) => endpoint.retryAtMs <= now);
    return ready.reduce<Endpoint | undefined>(
      (best, endpoint) => (best === undefined || endpoint.connections < best.connections ? endpoint : best),
      undefined,
    );
  }

  /** Starts a dial; the returned function gives it up. The caller has seen that `atCapacity` is false. */
  connect(endpoint: Endpoint, request: DialRequest, handlers: ConnectHandlers): () => void {
    endpoint.connections++;
    const dial = ++endpoint.dials;
    const cancel = this.#options.dialer.dial(endpoint, request, {
      onOpen: (upstream) => {
        this.#dials.delete(giveUp);
        this.#succeeded(endpoint);
        handlers.onOpen(upstream, endpoint);
      },
      onFailure: (error) => {
        this.#dials.delete(giveUp);
        this.#left(endpoint);
        // An answer in the 400s to what a client asked for is about the client; the endpoint is well.
        const aboutClient = request !== plainDial && error.status !== undefined && error.status < 500;
        if (!aboutClient) this.#failed(endpoint, error, dial);
        else if (!error.unsendable) this.#succeeded(endpoint);
        handlers.onFailure(error, endpoint);
      },
    });
    const giveUp = (): void => {
      if (!this.#dials.delete(giveUp)) return;
      this.#left(endpoint);
      cancel();
    };
    this.#dials.add(giveUp);
    return giveUp;
  }

  /** Gives up all dials under way. */
  close(): void {
    for (const giveUp of this.#dials) giveUp();
  }

  /** An open connection to the endpoint is gone. Unexpected ends that come soon after the opening make the back-off grow. */
  closed(endpoint: Endpoint, expected: boolean): void {
    this.#left(endpoint);
    if (expected) return;
    const nowMs = this.#options.now();
    // Connections that are lost together are one loss.
    if (!endpoint.openedSinceLoss) return;
    endpoint.openedSinceLoss = false;
    if (nowMs - endpoint.openedAtMs > this.#options.reconnect.maxDelayMs) endpoint.losses = 0;
    endpoint.retryAtMs = nowMs + this.#backoffMs(endpoint.losses++);
  }

  #left(endpoint: Endpoint): void {
    if (--endpoint.connections === 0) this.#leaving.delete(endpoint);
  }

  #succeeded(endpoint: Endpoint): void {
    const { log, pool } = this.#options;
    if (endpoint.failures > 0) log.info({ pool, upstream: endpoint.label }, 'upstream is reachable again');
    endpoint.failures = 0;
    endpoint.retryAtMs = 0;
    endpoint.openedAtMs = this.#options.now();
    endpoint.openedSinceLoss = true;
  }

  #failed(endpoint: Endpoint, error: DialError, dial: number): void {
    const { log, pool, now } = this.#options;
    // Dials that were under way together fail together: the back-off grows with rounds, not with dials.
    if (endpoint.failures > 0 && dial <= endpoint.dialsOfFailure) return;
    endpoint.dialsOfFailure = endpoint.dials;
    if (endpoint.failures === 0) {
      log.warn({ pool, upstream: endpoint.label, problem: error.message }, 'upstream cannot be reached');
    }
    endpoint.retryAtMs = now() + this.#backoffMs(endpoint.failures);
    endpoint.failures++;
  }

  #backoffMs(attempt: number): number {
    return backoffDelayMs(this.#options.reconnect, attempt, this.#options.random);
  }
}
