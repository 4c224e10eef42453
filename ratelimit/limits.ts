import { createHmac } from 'node:crypto';
import { allLimits } from './all-limits.ts';
import { Allowance, type AllowanceHost } from './allowance.ts';
import { createLimit, type LimitOptions } from './create-limit.ts';
import { coversRoute, decisions, keyedBy, scopes } from './limit-config.ts';
import type { ClientKeys, LimitConfig, Scope } from './limit-config.ts';
import type { Limit, Undecided } from './limit.ts';
import { Plan } from './plan.ts';
import { Prepayments } from './prepayments.ts';
import { topKeys } from './top-keys.ts';

export interface LimitsOptions extends LimitOptions {
  readonly configs: readonly LimitConfig[];
  /** Whether addresses and identities are shown as they are, or as hashes that only tell them apart. */
  readonly showKeys: 'hashed' | 'clear';
  readonly now: () => number;
  /** Whether other gateways have a part in such a limit; it begins afresh when that changes. */
  readonly isShared: (config: LimitConfig) => boolean;
}

/** One limit and what it has done since it was set. */
export interface LimitFigures {
  readonly name: string;
  /** It follows from another limit; nobody has configured it. */
  readonly isImplied: boolean;
  readonly config: LimitConfig;
  /** Addresses, identities and the like that it keeps apart now. */
  readonly keys: number;
  /** How often it decided what. */
  readonly decisions: Readonly<Record<string, number>>;
  /** The keys it refused most, hashed or clear as configured. */
  readonly topKeys: readonly {
    readonly key: string;
    readonly refused: number;
    readonly retryAfterMs: number;
  }[];
}

/** What one limit has refused since it was set. */
export interface LimitRefusals {
  readonly name: string;
  readonly onExceed: string;
  readonly refused: number;
  readonly wouldHaveRefused: number;
}

const topCount = 20;
/** Slots looked at in one go: far under a millisecond. */
const sweepSlice = 250;

/** All rate limits of a gateway. */
export class Limits implements AllowanceHost {
  readonly noPlan = new Plan([], '');
  readonly prepayments = new Prepayments();
  version = 0;
  readonly #options: LimitsOptions;
  readonly #plans = new Map<string, Plan>();
  /** Decisions of limits that are gone, by scope: what was counted stays counted. */
  readonly #past = new Map<Scope, Float64Array>(
    scopes.map((scope) => [scope, new Float64Array(decisions.length)]),
  );
  #limits: readonly Limit[] = [];

  constructor(options: LimitsOptions) {
    this.#options = options;
    this.apply(options.configs);
  }

  /** Other limits from now on. One that is still there, if with other figures, keeps what was used of it. */
  apply(configs: readonly LimitConfig[]): void {
    this.prepayments.reclaim();
    this.#settleCounts();
    const before = new Map(this.#limits.map((limit) => [limit.name, limit]));
    const { isShared } = this.#options;
    this.#limits = allLimits(configs).map((named) => {
      const known = before.get(named.name);
      if (known === undefined || isShared(known.config) !== isShared(named.config))
        return createLimit(named, this.#options);
      before.delete(named.name);
      known.configure(named, this.#options.now());
      return known;
    });
    for (const { config, counts, limiter } of before.values()) {
      addTo(this.#past.get(config.scope)!, counts);
      limiter.close?.();
    }
    this.#plans.clear();
    this.version++;
  }

  /** Gives back what limiters have leased. */
  close(): void {
    for (const { limiter } of this.#limits) limiter.close?.();
  }

  /** The allowance of a client that is about to connect; to be released when it has gone. */
  open(client: ClientKeys, owner: Undecided): Allowance {
    return new Allowance(this, client, owner, this.#options.now());
  }

  /**
   * Asks whether a client may connect now: 0, or the milliseconds that it should wait. Counts it against the limits on
   * connections; whoever could not send a message from its address or identity is not let in either.
   */
  arrive(client: ClientKeys): number {
    this.prepayments.reclaim();
    const nowMs = this.#options.now();
    const taken: [limit: Limit, slot: number][] = [];
    let waitMs = 0;
    for (const limit of this.#limits) {
      if (!coversRoute(limit.config, client.route)) continue;
      const isDoor = limit.config.unit === 'connections';
      if (!isDoor && !shutsOut(limit)) continue;
      const slot = limit.slots.acquire(limit.keyOf(client), nowMs);
      const limitWaitMs = isDoor ? limit.limiter.take(slot, 1, nowMs) : limit.waitMs(slot, 1, nowMs);
      if (isDoor && limitWaitMs === 0) taken.push([limit, slot]);
      if (limitWaitMs > 0 && limit.config.dryRun) {
        limit.count('dry_run');
      } else if (limitWaitMs > 0) {
        waitMs = Math.max(waitMs, isDoor ? limit.refuse(slot, 1, limitWaitMs, nowMs) : limitWaitMs);
        if (!isDoor) limit.count('rejected');
        if (!isDoor) limit.countRefused(slot);
      }
      limit.slots.release(slot);
    }
    for (const [limit, slot] of taken) {
      if (waitMs === 0) limit.count('allowed');
      else limit.limiter.refund(slot, 1);
    }
    return waitMs;
  }

  planFor(route: string): Plan {
    const known = this.#plans.get(route);
    if (known !== undefined) return known;
    const plan = new Plan(this.#limits, route);
    this.#plans.set(route, plan);
    return plan;
  }

  /** Forgets a slice of the keys that are not needed any more, and gives back leases; to be called several times a second. */
  sweep(): void {
    const nowMs = this.#options.now();
    for (const { slots, limiter } of this.#limits) {
      slots.sweep(sweepSlice, nowMs);
      limiter.sweep?.(nowMs);
    }
  }

  /** How often each decision was made, by scope. */
  decisionCounts(): [scope: Scope, decision: string, count: number][] {
    this.#settleCounts();
    return scopes.flatMap((scope) => {
      const counts = Float64Array.from(this.#past.get(scope)!);
      for (const limit of this.#limits) if (limit.config.scope === scope) addTo(counts, limit.counts);
      return decisions.map((decision, index): [Scope, string, number] => [scope, decision, counts[index]!]);
    });
  }

  /** How often each limit has refused, and would have where it only watches. */
  refusals(): LimitRefusals[] {
    return this.#limits.map((limit) => ({
      name: limit.name,
      onExceed: limit.config.onExceed,
      refused: limit.countOf('rejected') + limit.countOf('dropped') + limit.countOf('closed'),
      wouldHaveRefused: limit.countOf('dry_run'),
    }));
  }

  /** How many keys are known, by scope. */
  keyCounts(): [scope: Scope, keys: number][] {
    return scopes.map((scope) => {
      const sizes = this.#limits
        .filter(({ config }) => config.scope === scope)
        .map(({ slots }) => slots.size);
      return [scope, sizes.reduce((sum, size) => sum + size, 0)];
    });
  }

  /** Tells keys apart without giving them away, the same for the same key as long as the process lives. */
  hashOf(key: string): string {
    return createHmac('sha256', this.#options.secret).update(key).digest('hex').slice(0, 16);
  }

  /** Every limit with what it did, and the keys that it refused most. */
  figures(): LimitFigures[] {
    this.prepayments.reclaim();
    this.#settleCounts();
    const nowMs = this.#options.now();
    return this.#limits.map((limit) => ({
      name: limit.name,
      isImplied: limit.isImplied,
      config: limit.config,
      keys: limit.slots.size,
      decisions: Object.fromEntries(decisions.map((decision, index) => [decision, limit.counts[index]!])),
      topKeys: topKeys(limit.slots, (slot) => limit.refusedOf(slot), topCount).map(
        ({ slot, key, refused }) => ({
          key: this.#shown(limit, key),
          refused,
          retryAfterMs: Math.ceil(Math.max(0, limit.limiter.peek(slot, 1, nowMs))),
        }),
      ),
    }));
  }

  #shown(limit: Limit, key: string): string {
    if (this.#options.showKeys === 'clear' || keyedBy(limit.config) === 'global') return key;
    return this.hashOf(key);
  }

  #settleCounts(): void {
    for (const plan of this.#plans.values()) plan.settleCounts();
  }
}

/** True for a limit of the client's own that would refuse it every message now. */
function shutsOut({ config, delays }: Limit): boolean {
  const isOwn = config.scope === 'ip' || config.scope === 'identity';
  return isOwn && config.unit === 'messages' && !delays && !config.dryRun;
}

function addTo(sum: Float64Array, counts: Float64Array): void {
  counts.forEach((count, index) => (sum[index]! += count));
}
