import { createHash, randomBytes } from 'node:crypto';
import type { RateLimitFigures } from '../metrics/ratelimit-families.ts';
import { Episode } from '../pool/health/episode.ts';
import type { LimiterParts } from '../ratelimit/create-limit.ts';
import type { LimitConfig } from '../ratelimit/limit-config.ts';
import { settingsOf } from '../ratelimit/limit.ts';
import type { Limiter } from '../ratelimit/limiter.ts';
import { Limits } from '../ratelimit/limits.ts';
import { RedisLimiter } from '../ratelimit/shared/redis-limiter.ts';
import type { RedisLink } from '../ratelimit/shared/redis-link.ts';
import { parseRedisUrl } from '../ratelimit/shared/redis-url.ts';
import { ThreadLimiter } from '../ratelimit/shared/thread-limiter.ts';
import type { ThreadMemory } from '../ratelimit/shared/thread-memory.ts';
import { createLimiter } from '../ratelimit/strategies.ts';
import type { LimitsControl, LimitsSnapshot } from './admin/limits-control.ts';
import { isShareable } from './config/limit-notices.ts';
import type { Config, RateLimitConfig } from './config/schema.ts';
import type { Log } from './log.ts';
import type { SharedLimits } from './shared-limits.ts';

export interface GatewayLimitsOptions {
  readonly config: Config;
  readonly now: () => number;
  readonly log: Log;
  /** Limits that other threads share with this gateway, where it is not the only one. */
  readonly shared: SharedLimits | undefined;
}

const sweepIntervalMs = 50;
/** Redis is back when it has answered for so long. */
const steadyMs = 1_000;

/** The rate limits of one gateway, as its other parts and its operators see them. */
export class GatewayLimits implements LimitsControl {
  readonly limits: Limits;
  readonly routes: readonly string[];
  readonly #log: Log;
  readonly #now: () => number;
  readonly #sweeper: NodeJS.Timeout;
  readonly #shared: SharedLimits | undefined;
  readonly #redis: Config['redis'];
  readonly #link: RedisLink | undefined;
  readonly #linkTried: Promise<void>;
  #onLinkTried: () => void = () => undefined;
  readonly #outage = new Episode(steadyMs);

  /** Resolves when Redis has answered or is known not to, after two seconds at most; where there is none, without waiting. */
  static async open(options: GatewayLimitsOptions): Promise<GatewayLimits> {
    // Loaded late: most gateways share their limits with none, and its client takes long to load.
    const Link =
      options.config.redis.url === null
        ? undefined
        : (await import('../ratelimit/shared/redis-link.ts')).RedisLink;
    const limits = new GatewayLimits(options, Link);
    if (Link !== undefined) await limits.#linkTried;
    return limits;
  }

  private constructor(
    { config, now, log, shared }: GatewayLimitsOptions,
    Link: typeof RedisLink | undefined,
  ) {
    const { rateLimits, rateLimitKeys, listen, routes } = config;
    this.#log = log;
    this.#now = now;
    this.#shared = shared;
    this.#redis = config.redis;
    this.#linkTried = new Promise((resolve) => (this.#onLinkTried = resolve));
    this.#link = Link === undefined ? undefined : this.#connect(Link);
    this.routes = routes.map(({ path }) => path);
    this.limits = new Limits({
      configs: rateLimits,
      maxConnections: listen.maxConnections,
      maxKeysPerLimit: rateLimitKeys.maxPerLimit,
      showKeys: rateLimitKeys.show,
      secret: shared?.secret ?? randomBytes(16).toString('hex'),
      now,
      createLimiter: (parts) => this.#createLimiter(parts),
      isShared: (limit) => this.#link !== undefined && isShareable(limit),
    });
    this.#sweeper = setInterval(() => {
      this.limits.sweep();
      if (this.#link?.up === true && this.#outage.isOver(now())) this.#onRedis();
    }, sweepIntervalMs).unref();
  }

  snapshot(): LimitsSnapshot {
    return {
      limits: this.limits.figures(),
      shared: { redis: this.#link === undefined ? 'off' : this.#link.up ? 'up' : 'down' },
    };
  }

  replace(rateLimits: readonly RateLimitConfig[]): void {
    this.limits.apply(rateLimits);
  }

  /** What /metrics publishes. */
  totals(): RateLimitFigures {
    return {
      decisions: this.limits.decisionCounts(),
      keys: this.limits.keyCounts(),
      sharedUp: this.#link?.up,
    };
  }

  close(): void {
    clearInterval(this.#sweeper);
    this.limits.close();
    this.#link?.close();
  }

  #connect(Link: typeof RedisLink): RedisLink {
    const { url, keyPrefix, onFailure } = this.#redis;
    const target = parseRedisUrl(url ?? '');
    if (typeof target === 'string') throw new Error(`bug: redis.url ${target}`);
    return new Link({
      target,
      probeKey: `${keyPrefix}probe`,
      onState: (up, reason) => {
        this.#onLinkTried();
        if (up) this.#onRedis();
        else if (this.#outage.sign(this.#now()))
          this.#log.warn({ reason, onFailure }, 'Redis does not answer: rate limits are not shared');
      },
      now: this.#now,
      random: Math.random,
    });
  }

  /** Redis answers. After an outage that is told when it has been so for a while. */
  #onRedis(): void {
    const nowMs = this.#now();
    if (this.#outage.isOn && !this.#outage.isOver(nowMs)) return;
    const forMs = this.#outage.isOn ? this.#outage.ageMs(nowMs) : undefined;
    this.#outage.end(nowMs);
    this.#log.info({ downForMs: forMs }, 'rate limits are shared through Redis');
  }

  #createLimiter({ config, name, slots, onDecided }: LimiterParts): Limiter {
    const memory = this.#shared?.memories.get(name);
    const local =
      memory === undefined
        ? createLimiter(config.strategy, settingsOf(config), slots)
        : this.#createThreadLimiter(memory, config, slots);
    if (this.#link === undefined || !isShareable(config)) return local;
    return new RedisLimiter({
      name: redisName(name, config),
      strategy: config.strategy,
      settings: settingsOf(config),
      slots,
      link: this.#link,
      ...{ keyPrefix: this.#redis.keyPrefix, onFailure: this.#redis.onFailure },
      fallback: local,
      onDecided,
      nowMs: this.#now,
    });
  }

  /** The memory may be from before the limit got its figures. */
  #createThreadLimiter(memory: ThreadMemory, config: LimitConfig, slots: number): ThreadLimiter {
    const limiter = new ThreadLimiter(memory, { slots, now: this.#now });
    limiter.configure(settingsOf(config), this.#now());
    return limiter;
  }
}

/** Bounded, whatever the limit matches; the same for all gateways. */
function redisName(name: string, { scope }: LimitConfig): string {
  return `${scope}:${createHash('sha256').update(name).digest('base64url').slice(0, 8)}`;
}
