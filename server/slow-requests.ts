import type { ClientName, PoolObserver } from '../pool/client-side.ts';
import type { LineSampler } from './line-sampler.ts';

export interface SlowRequestsOptions {
  readonly pool: string;
  /** From so many milliseconds on a request is slow; 0 for never. */
  readonly fromMs: number;
  /** Shared by all pools. */
  readonly sampler: LineSampler;
  readonly now: () => number;
  readonly log: { warn(data: object, message: string): void };
}

/** Counts the slow requests of a pool, and logs as many as the sampler lets through. */
export class SlowRequests implements Pick<PoolObserver, 'slowMs' | 'slow'> {
  readonly slowMs: number;
  count = 0;
  readonly #options: SlowRequestsOptions;

  constructor(options: SlowRequestsOptions) {
    this.#options = options;
    this.slowMs = options.fromMs === 0 ? Infinity : options.fromMs;
  }

  slow({ id, requestId }: ClientName, durationMs: number, upstream: string, method: string): void {
    const { pool, sampler, now, log } = this.#options;
    this.count++;
    const suppressed = sampler.take(now());
    if (suppressed < 0) return;
    // What is not known is left out of the line.
    log.warn(
      {
        pool,
        upstream: upstream || undefined,
        method: method || undefined,
        durationMs: Math.round(durationMs),
        client: id,
        requestId: requestId || undefined,
        suppressed,
      },
      'slow request',
    );
  }
}
