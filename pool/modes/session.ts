import type { PoolObserver, SeatHandlers } from '../client-side.ts';
import { BreakerState } from '../health/breaker.ts';
import type { Connector } from '../connector.ts';
import { plainDial, type DialError, type DialRequest } from '../dial.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Mode } from '../mode.ts';
import { noFigures, type ModeFigures } from '../pool-figures.ts';
import type { OperableMode } from '../pool-operations.ts';
import type { HealthChecks } from '../health/health.ts';
import { SessionLease, type SessionHost } from './session-lease.ts';

export interface SessionModeOptions {
  readonly connector: Connector;
  /** Connections kept dialled for clients that ask for nothing special. */
  readonly warmConnections: number;
  /** An idle connection that received more than this before it had a client is dropped. */
  readonly maxGreetingBytes: number;
  /** How long a client waits; its dials share that time, so that a silent endpoint leaves some for the others. */
  readonly acquireTimeoutMs: number;
  readonly now: () => number;
  readonly observer: PoolObserver;
}

const topUpIntervalMs = 1_000;
/** How long no warm connection is dialled after an upstream refused one with a status from 400 to 499. */
const refusedPauseMs = 60_000;
/** The least part of a client's waiting time that one dial gets. */
const minDialShare = 0.4;
/** A dial of the pool's own. An upstream that wants credentials answers it with 401, and is well all the same. */
const ownDial: DialRequest = { ...plainDial };

/** One upstream connection for each client, for as long as it stays. */
export class SessionMode implements Mode, SessionHost, OperableMode {
  /** Sessions keep their connections as long as they last. */
  readonly replacing = 0;
  readonly #connector: Connector;
  readonly #options: SessionModeOptions;
  readonly #warm: SessionLease[] = [];
  readonly #leased = new Set<SessionLease>();
  /** Clients that wait for the end of a pause, by what goes on with them then. */
  readonly #held = new Set<() => void>();
  readonly #checks: HealthChecks<SessionLease>;
  readonly #topUpTimer: NodeJS.Timeout;
  passedOn = 0;
  #paused = false;
  #upstreamsLost = 0;
  #turnedAway = 0;
  #warmNotBeforeMs = 0;
  #closed = false;

  constructor(options: SessionModeOptions) {
    this.#options = options;
    this.#connector = options.connector;
    this.#checks = this.#connector.healthChecks(() => [...this.#warm, ...this.#leased]);
    this.#topUpTimer = setInterval(() => this.#topUp(), topUpIntervalMs);
    this.#topUp();
  }

  get hopeful(): boolean {
    return !this.#connector.allFailing;
  }

  get turnedAway(): number {
    return this.#turnedAway;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get quiet(): boolean {
    for (const lease of this.#leased) if (lease.busy) return false;
    return true;
  }

  /** A session that awaits an answer counts as one. */
  unanswered(): ReadonlyMap<Endpoint, number> {
    const counts = new Map<Endpoint, number>();
    for (const { busy, endpoint } of this.#leased)
      if (busy) counts.set(endpoint, (counts.get(endpoint) ?? 0) + 1);
    return counts;
  }

  get observer(): PoolObserver {
    return this.#options.observer;
  }

  get now(): () => number {
    return this.#options.now;
  }

  get maxGreetingBytes(): number {
    return this.#options.maxGreetingBytes;
  }

  /** Finds the client an upstream: a warm one at once, else by dialling, one endpoint after the other. The returned function gives up. */
  acquire(request: DialRequest, handlers: SeatHandlers): () => void {
    if (this.#paused) return this.#hold(request, handlers);
    const plain = request.protocols.length + request.headers.length === 0 && request.query === '';
    const warm = plain ? this.#warm.pop() : undefined;
    if (warm !== undefined) {
      this.#leased.add(warm);
      handlers.onSeat(warm);
      return () => undefined;
    }
    return this.#dialInTurn(request, handlers);
  }

  onEnded(lease: SessionLease, code: number): void {
    const index = this.#warm.indexOf(lease);
    if (index >= 0) this.#warm.splice(index, 1);
    this.#leased.delete(lease);
    const lost = code === 1006 && !this.#paused;
    if (lost) this.#upstreamsLost++;
    // The connector hears of those that had no client.
    if (lost && index < 0) this.#connector.watch.connectionLost(lease.endpoint, this.#options.now());
    // A client can make its own session end so: that alone is no reason to leave the upstream alone, but to compare it with others.
    if (index < 0 && (lost || code === 1011)) lease.endpoint.standing.failed(this.#options.now());
    this.#connector.closed(lease.endpoint, !lost || index < 0);
  }

  /** Clients that come wait, and nothing is dialled, until `resume`. Sessions that exist go on. */
  pause(): void {
    this.#paused = true;
  }

  /** Those who waited are served in their order. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#connector.forgive();
    for (const goOn of [...this.#held]) goOn();
    this.#topUp();
  }

  /** Other warm connections take the place of those there are. Sessions keep theirs. */
  reconnect(): void {
    for (const lease of [...this.#warm]) lease.release(1000, '');
    this.#topUp();
  }

  /** The connector has other endpoints: sessions stay where they are. */
  onEndpointsChanged(): void {
    for (const lease of this.#warm.filter(({ endpoint }) => endpoint.removed)) lease.release(1000, '');
    this.#topUp();
  }

  figures(): ModeFigures {
    return {
      ...noFigures(),
      passedOn: this.passedOn,
      connections: { idle: this.#warm.length, busy: this.#leased.size, draining: 0 },
      waiting: this.#held.size,
      upstreamsLost: this.#upstreamsLost,
    };
  }

  close(code: number, reason: string): void {
    this.#closed = true;
    clearInterval(this.#topUpTimer);
    for (const lease of [...this.#warm, ...this.#leased]) lease.upstream.close(code, reason);
    this.#warm.length = 0;
    this.#leased.clear();
  }

  #hold(request: DialRequest, handlers: SeatHandlers): () => void {
    let giveUp = (): void => void this.#held.delete(goOn);
    const goOn = (): void => {
      this.#held.delete(goOn);
      giveUp = this.acquire(request, handlers);
    };
    this.#held.add(goOn);
    return () => giveUp();
  }

  #dialInTurn(request: DialRequest, handlers: SeatHandlers): () => void {
    const tried = new Set<Endpoint>();
    const share = Math.max(minDialShare, 0.9 / this.#connector.endpoints.length);
    const timeoutMs = share * this.#options.acquireTimeoutMs;
    let giveUp = (): void => undefined;
    const next = (error?: DialError): void => {
      if (this.#paused) {
        giveUp = this.#hold(request, handlers);
        return;
      }
      this.#makeRoom();
      const endpoint = this.#connector.atCapacity ? undefined : this.#connector.pick(tried);
      if (endpoint === undefined || (error?.status ?? 500) < 500) {
        if (this.#connector.atCapacity) this.#turnedAway++;
        handlers.onRefused({ status: error?.status, retryAfterMs: this.#retryAfterMs() });
        return;
      }
      tried.add(endpoint);
      giveUp = this.#connector.connect(
        endpoint,
        { ...request, timeoutMs },
        {
          onOpen: (upstream) => {
            const lease = new SessionLease(upstream, endpoint, this);
            this.#leased.add(lease);
            if (this.#closed) lease.release(1001, '');
            else handlers.onSeat(lease);
          },
          onFailure: next,
        },
      );
    };
    next();
    return () => giveUp();
  }

  /** At the cap a warm connection gives way to a client that needs one of its own. */
  #makeRoom(): void {
    if (this.#connector.atCapacity) this.#warm[0]?.release(1000, '');
  }

  #retryAfterMs(): number {
    return Math.max(0, this.#connector.nextRetryAtMs - this.#options.now());
  }

  /** Dials warm connections up to the configured number, and endpoints that failed, to see whether they are back. */
  #topUp(): void {
    if (this.#paused) return;
    const nowMs = this.#options.now();
    this.#connector.watch.tick(nowMs);
    this.#checks.tick(nowMs);
    for (const endpoint of this.#connector.endpoints) {
      const suspect = endpoint.failures > 0 || endpoint.breaker.state === BreakerState.halfOpen;
      if (!suspect || !endpoint.mayDial(nowMs) || this.#connector.atCapacity) continue;
      // One probe at a time: its outcome sets the next time.
      endpoint.retryAtMs = nowMs + this.#options.acquireTimeoutMs;
      this.#dialAhead(endpoint);
    }
    if (nowMs < this.#warmNotBeforeMs) return;
    let missing = this.#options.warmConnections - this.#warm.length - this.#connector.dialing;
    for (; missing > 0 && !this.#connector.atCapacity; missing--) {
      const endpoint = this.#connector.pickForBackground();
      if (endpoint === undefined) return;
      this.#dialAhead(endpoint);
    }
  }

  #dialAhead(endpoint: Endpoint): void {
    this.#connector.connect(endpoint, ownDial, {
      onOpen: (upstream) => {
        const lease = new SessionLease(upstream, endpoint, this);
        const wanted = this.#warm.length < this.#options.warmConnections && !endpoint.removed;
        if (wanted && !this.#closed) this.#warm.push(lease);
        else lease.release(1000, '');
        // The next probe need not wait, nor be somebody's first impression.
        if (endpoint.breaker.state === BreakerState.halfOpen && !this.#closed) this.#topUp();
      },
      onFailure: ({ status }) => {
        // Clients with credentials may be welcome where the pool itself is not; it is not tried every second.
        if (status !== undefined && status < 500)
          this.#warmNotBeforeMs = this.#options.now() + refusedPauseMs;
      },
    });
  }
}
