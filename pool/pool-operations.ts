import type { Connector } from './connector.ts';
import { endpointFigures } from './endpoint-figures.ts';
import type { Endpoint } from './endpoint.ts';
import type { FailureKind, UpstreamState } from './health/condition.ts';

/** What a mode lets operators do. */
export interface OperableMode {
  readonly paused: boolean;
  /** Everything was written, and what wants an answer has it, as far as that can be known. */
  readonly quiet: boolean;
  /** Connections that a reconnect has yet to replace. */
  readonly replacing: number;
  /** What awaits an answer, by where it was sent. */
  unanswered(): ReadonlyMap<Endpoint, number>;
  /** Sends nothing new to the upstreams and dials nothing, until `resume`. */
  pause(): void;
  /** Sends what was held, and dials at once what is missing. */
  resume(): void;
  /** Replaces the connections that no client has for itself. */
  reconnect(): void;
  /** The connector has other endpoints. */
  onEndpointsChanged(): void;
}

/** By their numbers. */
const breakerStates = ['closed', 'open', 'half-open'] as const;

/** One upstream address, as of now. */
export interface UpstreamFigures {
  /** The URL without userinfo and query; where several have the same, all but the first have a number behind it. */
  readonly upstream: string;
  /** Connections to it, dialling ones included. */
  readonly connections: number;
  readonly inFlight: number;
  /** False while its last dial failed. */
  readonly reachable: boolean;
  readonly breaker: 'closed' | 'open' | 'half-open';
  /** It gets nothing for a while, for it fails where others do not. */
  readonly ejected: boolean;
  /** Milliseconds until it may be dialled again. */
  readonly retryInMs: number;
  /** It was taken out of the pool, and has connections still. */
  readonly removed: boolean;
  /** All of that in a word, and for how long it has been so; in a pause of the pool `paused`, whatever else. */
  readonly state: UpstreamState | 'paused';
  readonly stateAgeMs: number;
  /** What went wrong last; null when nothing has. */
  readonly lastFailure: {
    readonly kind: FailureKind;
    readonly detail: string;
    readonly agoMs: number;
  } | null;
}

export interface PoolOperationsOptions {
  readonly mode: OperableMode;
  readonly connector: Connector;
  /** For endpoints that are added. */
  readonly createEndpoint: (url: string) => Endpoint;
  readonly now: () => number;
}

/** What operators do to a pool that has upstreams. */
export class PoolOperations {
  readonly #options: PoolOperationsOptions;
  #pausedAtMs = 0;

  constructor(options: PoolOperationsOptions) {
    this.#options = options;
  }

  get paused(): boolean {
    return this.#options.mode.paused;
  }

  get quiet(): boolean {
    return this.#options.mode.quiet;
  }

  get replacing(): number {
    return this.#options.mode.replacing;
  }

  /** How much awaits an answer. */
  get inFlight(): number {
    let sum = 0;
    for (const count of this.#options.mode.unanswered().values()) sum += count;
    return sum;
  }

  /** The URLs as they were given, userinfo and query included. */
  get urls(): readonly string[] {
    return this.#options.connector.endpoints.map(({ url }) => url);
  }

  pause(): void {
    const { mode, now } = this.#options;
    if (!mode.paused) this.#pausedAtMs = now();
    mode.pause();
  }

  resume(): void {
    this.#options.mode.resume();
  }

  reconnect(): void {
    this.#options.mode.reconnect();
  }

  /**
   * These upstreams from now on. What is known of one that stays, is kept, as are its connections; returns the labels of those added
   * and removed.
   */
  setUpstreams(urls: readonly string[]): { added: string[]; removed: string[] } {
    const { connector, createEndpoint, mode } = this.#options;
    // One by one, for a URL may be there several times.
    const before = [...connector.endpoints];
    const added: Endpoint[] = [];
    const endpoints = urls.map((url) => {
      const index = before.findIndex((endpoint) => endpoint.url === url);
      const [kept] = index < 0 ? [] : before.splice(index, 1);
      if (kept !== undefined) return kept;
      const endpoint = createEndpoint(url);
      added.push(endpoint);
      return endpoint;
    });
    connector.change(endpoints);
    mode.onEndpointsChanged();
    return { added: added.map(({ label }) => label), removed: before.map(({ label }) => label) };
  }

  /** Every address, those included that were removed and still have connections. */
  upstreams(): UpstreamFigures[] {
    const { connector, mode, now } = this.#options;
    const nowMs = now();
    const unanswered = mode.unanswered();
    const endpoints = [...connector.endpoints, ...connector.leaving];
    const figures = endpointFigures(endpoints);
    return endpoints.map((endpoint, index) => ({
      upstream: figures[index]!.upstream,
      connections: endpoint.connections,
      inFlight: unanswered.get(endpoint) ?? 0,
      reachable: endpoint.failures === 0,
      breaker: breakerStates[endpoint.breaker.state],
      ejected: endpoint.standing.ejected,
      retryInMs: Math.max(0, Math.ceil(endpoint.retryAtMs - nowMs)),
      removed: endpoint.removed,
      ...this.#stateOf(endpoint, nowMs),
      lastFailure: lastFailureOf(endpoint, nowMs),
    }));
  }

  #stateOf({ condition, state }: Endpoint, nowMs: number): Pick<UpstreamFigures, 'state' | 'stateAgeMs'> {
    condition.see(state, nowMs);
    if (state === 'removed' || !this.paused)
      return { state, stateAgeMs: Math.round(nowMs - condition.sinceMs) };
    return { state: 'paused', stateAgeMs: Math.round(nowMs - this.#pausedAtMs) };
  }
}

function lastFailureOf({ condition }: Endpoint, nowMs: number): UpstreamFigures['lastFailure'] {
  const { failedAtMs, failureKind: kind, failureDetail: detail } = condition;
  return failedAtMs === -Infinity ? null : { kind, detail, agoMs: Math.round(nowMs - failedAtMs) };
}
