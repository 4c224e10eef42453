import type { Connector } from '../connector.ts';
import { plainDial } from '../dial.ts';
import type { Endpoint } from '../endpoint.ts';
import type { UpstreamConnection } from '../upstream.ts';

export interface SupplyOptions {
  readonly connector: Connector;
  readonly minConnections: number;
  readonly now: () => number;
  readonly onOpen: (upstream: UpstreamConnection, endpoint: Endpoint) => void;
  readonly onFailure: () => void;
}

const minRetryMs = 10;
const probePollMs = 100;

/** Keeps shared connections dialled: the minimum always, spread over the endpoints, and more when asked. */
export class Supply {
  readonly #options: SupplyOptions;
  #timer: NodeJS.Timeout | undefined;
  #paused = false;
  #closed = false;

  constructor(options: SupplyOptions) {
    this.#options = options;
  }

  /** Dials what is missing, now or when the back-off allows. What one endpoint cannot give is not taken from another. */
  maintain(): void {
    clearTimeout(this.#timer);
    if (this.#closed || this.#paused) return;
    const { connector, now } = this.#options;
    let retryAtMs = Infinity;
    connector.endpoints.forEach((endpoint, index) => {
      const share = this.shareOf(index);
      while (endpoint.connections < share && !connector.atCapacity && endpoint.mayDial(now()))
        this.#open(endpoint);
      if (endpoint.connections < share) retryAtMs = Math.min(retryAtMs, this.#dialAtMs(endpoint));
    });
    if (connector.atCapacity || retryAtMs === Infinity) return;
    this.#timer = setTimeout(() => this.maintain(), Math.max(minRetryMs, retryAtMs - now()));
  }

  /** Dials one more connection, where the cap and the back-off allow. */
  grow(): void {
    const { connector } = this.#options;
    if (this.#closed || this.#paused || connector.room <= this.#reserved()) return;
    const endpoint = connector.pickForBackground();
    if (endpoint !== undefined) this.#open(endpoint);
  }

  /** Dials one more connection in the place of another, as `grow` does; false when it cannot be dialled now. */
  dialAnother(onEnded: (opened: boolean) => void): boolean {
    const { connector } = this.#options;
    const endpoint = this.#paused ? undefined : connector.pickForBackground();
    if (endpoint === undefined || this.#closed) return false;
    this.#open(endpoint, onEnded);
    return true;
  }

  /** Nothing is dialled until `resume`; what is being dialled may still come. */
  pause(): void {
    this.#paused = true;
    clearTimeout(this.#timer);
  }

  /** Dials what is missing, at once. */
  resume(): void {
    this.#paused = false;
    this.#options.connector.forgive();
    this.maintain();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** When an endpoint may be dialled, or asked about again while the probe of its breaker is out. */
  #dialAtMs({ dialAtMs, breaker }: Endpoint): number {
    return breaker.admits ? dialAtMs : Math.max(dialAtMs, this.#options.now() + probePollMs);
  }

  /** How many connections there should be at least. */
  get fewest(): number {
    const { endpoints } = this.#options.connector;
    return endpoints.reduce((sum, _, index) => sum + this.shareOf(index), 0);
  }

  /** How many connections the endpoint at that place should have at least: its part of the minimum, and one. */
  shareOf(index: number): number {
    const { connector, minConnections } = this.#options;
    const count = connector.endpoints.length;
    return Math.max(1, Math.floor(minConnections / count) + (index < minConnections % count ? 1 : 0));
  }

  /** Room that is kept for endpoints which have less than their share, so that one which comes back finds its place. */
  #reserved(): number {
    return this.#options.connector.endpoints.reduce(
      (sum, endpoint, index) => sum + Math.max(0, this.shareOf(index) - endpoint.connections),
      0,
    );
  }

  #open(endpoint: Endpoint, onEnded?: (opened: boolean) => void): void {
    this.#options.connector.connect(endpoint, plainDial, {
      onOpen: (upstream) => {
        if (this.#closed) upstream.close(1001, '');
        else this.#options.onOpen(upstream, endpoint);
        onEnded?.(true);
      },
      onFailure: () => {
        this.#options.onFailure();
        onEnded?.(false);
        this.maintain();
      },
    });
  }
}
