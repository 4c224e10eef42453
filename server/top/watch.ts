import type { AdminLink } from './admin-link.ts';
import { jsonOf } from './admin-link.ts';
import type { ServerEvent } from './event-reader.ts';
import { parseClients, parseHealth, parseHistory, parseSample, parseTotals } from './live-shape.ts';
import { faultOfError, notAGateway } from './top-fault.ts';
import type { TopState } from './top-state.ts';

export interface WatchOptions {
  readonly link: AdminLink;
  readonly state: TopState;
  readonly now: () => number;
}

const topClients = 50;
/** Finding those who do most goes through all clients. */
const detailsIntervalMs = 2_000;
const retryMs = 1_000;

/** Keeps a state up to date with its gateway. Everything that fails is a `TopFault`. */
export class Watch {
  readonly #options: WatchOptions;
  #tell = (): void => undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  /** Calls `listener` whenever something new is known; returns how to stop that. There is one at a time. */
  onChange(listener: () => void): () => void {
    this.#tell = listener;
    return () => (this.#tell = () => undefined);
  }

  /** Learns what does not come by itself: how the gateway is, what it has done since its start, and which clients do most. */
  async learn(): Promise<void> {
    const { link, state, now } = this.#options;
    const health = parseHealth(await link.get('health/detailed', [200, 503]));
    const clients = parseClients(await link.get(`api/clients?sort=${state.sort}&limit=${topClients}`));
    const totals = parseTotals(await link.get('api/admin/performance'));
    if (health === undefined || clients === undefined || totals === undefined) throw notAGateway();
    state.health = health;
    state.totals = totals;
    state.onClients(clients, now());
    this.#tell();
  }

  /** Hears every second of the gateway until `signal`, again and again where that ends; a fault that does not pass ends it. */
  async follow(signal: AbortSignal): Promise<void> {
    const { state } = this.#options;
    const timer = setInterval(() => void this.#learnMore(signal), detailsIntervalMs);
    try {
      while (!signal.aborted) {
        await this.hear(signal).catch((error: unknown) => {
          const fault = faultOfError(error);
          if (!fault.passing) throw fault;
          state.lost = fault.message;
          this.#tell();
        });
        await pause(retryMs, signal);
      }
    } finally {
      clearInterval(timer);
    }
  }

  /** Hears every second of the gateway until `signal`; throws when that ends before. */
  hear(signal: AbortSignal): Promise<void> {
    return this.#options.link.follow((event) => this.#onEvent(event), signal);
  }

  #onEvent({ event, data }: ServerEvent): void {
    const { state } = this.#options;
    if (event === 'history') {
      const seconds = parseHistory(jsonOf(data));
      if (seconds === undefined) throw notAGateway();
      state.onHistory(seconds);
    } else if (event === 'sample') {
      const sample = parseSample(jsonOf(data));
      if (sample === undefined) throw notAGateway();
      state.onSample(sample);
      this.#tell();
    }
  }

  async #learnMore(signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#options.state.lost !== undefined) return;
    // Where that fails the stream ends too, and says why.
    await this.learn().catch(() => undefined);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener(
      'abort',
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}
