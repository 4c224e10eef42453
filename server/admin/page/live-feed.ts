import type { LiveHistorySample, LiveSample } from '../../live/live-sample.ts';
import { faultsOf, type GatewayApi } from './gateway-api.ts';
import { readEvents, type ServerEvent } from './read-events.ts';

/** How the page stands with the gateway; `why` is empty where nothing more than the loss is known. */
export type Contact =
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly why: string }
  | { readonly state: 'token-needed' };

export interface LiveFeedOptions {
  readonly api: GatewayApi;
  readonly onHistory: (samples: readonly LiveHistorySample[]) => void;
  readonly onSample: (sample: LiveSample) => void;
  readonly onContact: (contact: Contact) => void;
}

/** A sample comes every second; after so long without one there is nobody. */
const silenceMs = 5_000;
const retryMs = 1_000;

/** Follows `/api/live`, and begins again whenever it ends; only where a token is missing it waits to be started again. */
export class LiveFeed {
  readonly #options: LiveFeedOptions;
  #running = false;

  constructor(options: LiveFeedOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#running) {
      const contact = await this.#follow();
      this.#running = contact.state !== 'token-needed';
      this.#options.onContact(contact);
      if (this.#running) await new Promise((resolve) => setTimeout(resolve, retryMs));
    }
  }

  /** Until the feed ends; says how it did. */
  async #follow(): Promise<Contact> {
    const abort = new AbortController();
    let watchdog = setTimeout(() => abort.abort(), silenceMs);
    try {
      const response = await this.#options.api.get('api/live', abort.signal);
      if (response.status === 401) return { state: 'token-needed' };
      if (!response.ok || response.body === null) return { state: 'lost', why: await faultsOf(response) };
      for await (const event of readEvents(response.body)) {
        clearTimeout(watchdog);
        watchdog = setTimeout(() => abort.abort(), silenceMs);
        this.#take(event);
      }
    } catch {
      // It broke off, or was silent for too long.
    } finally {
      clearTimeout(watchdog);
      abort.abort();
    }
    return { state: 'lost', why: '' };
  }

  #take({ event, data }: ServerEvent): void {
    const { onContact, onHistory, onSample } = this.#options;
    if (event === 'history') onHistory(JSON.parse(data) as LiveHistorySample[]);
    if (event === 'sample') onSample(JSON.parse(data) as LiveSample);
    onContact({ state: 'live' });
  }
}
