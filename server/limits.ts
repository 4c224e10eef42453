import { randomBytes } from 'node:crypto';
import type { RateLimitFigures } from '../metrics/ratelimit-families.ts';
import { settingsOf, type Limit } from '../ratelimit/limit.ts';
import { Limits } from '../ratelimit/limits.ts';
import { createLimiter } from '../ratelimit/strategies.ts';
import type { LimitsControl, LimitsSnapshot } from './admin/limits-control.ts';
import type { Config, RateLimitConfig } from './config/schema.ts';
import type { Log } from './log.ts';

export interface GatewayLimitsOptions {
  readonly config: Config;
  readonly now: () => number;
  readonly log: Log;
}

const sweepIntervalMs = 50;
/** A limit that only watches says so this often, at most. */
const dryRunLogIntervalMs = 10_000;

/** The rate limits of one gateway, as its other parts and its operators see them. */
export class GatewayLimits implements LimitsControl {
  readonly limits: Limits;
  readonly routes: readonly string[];
  readonly #log: Log;
  readonly #now: () => number;
  readonly #sweeper: NodeJS.Timeout;
  readonly #dryRunLoggedAtMs = new WeakMap<Limit, number>();

  constructor({ config, now, log }: GatewayLimitsOptions) {
    const { rateLimits, rateLimitKeys, listen, routes } = config;
    this.#log = log;
    this.#now = now;
    this.routes = routes.map(({ path }) => path);
    this.limits = new Limits({
      configs: rateLimits,
      maxConnections: listen.maxConnections,
      maxKeysPerLimit: rateLimitKeys.maxPerLimit,
      showKeys: rateLimitKeys.show,
      secret: randomBytes(16).toString('hex'),
      now,
      createLimiter: ({ config: limit, slots }) => createLimiter(limit.strategy, settingsOf(limit), slots),
      onDryRun: (limit) => this.#logDryRun(limit),
    });
    this.#sweeper = setInterval(() => this.limits.sweep(), sweepIntervalMs).unref();
  }

  snapshot(): LimitsSnapshot {
    return { limits: this.limits.figures(), shared: { redis: 'off' } };
  }

  replace(rateLimits: readonly RateLimitConfig[]): void {
    this.limits.apply(rateLimits);
  }

  /** What /metrics publishes. */
  totals(): RateLimitFigures {
    return {
      decisions: this.limits.decisionCounts(),
      keys: this.limits.keyCounts(),
      sharedUp: undefined,
    };
  }

  close(): void {
    clearInterval(this.#sweeper);
  }

  #logDryRun(limit: Limit): void {
    const nowMs = this.#now();
    const loggedAtMs = this.#dryRunLoggedAtMs.get(limit);
    if (loggedAtMs !== undefined && nowMs - loggedAtMs < dryRunLogIntervalMs) return;
    this.#dryRunLoggedAtMs.set(limit, nowMs);
    const wouldHaveRefused = limit.countOf('dry_run');
    this.#log.warn({ limit: limit.name, wouldHaveRefused }, 'a rate limit on trial would have refused');
  }
}
