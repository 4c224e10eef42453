import { undecided, type Limiter, type LimiterSettings } from '../limiter.ts';
import type { LeaseAnswer } from './lease-script.ts';
import { FailureMode, type OnFailure } from './redis-failure.ts';
import { leaseSize, type LeaseSize } from './redis-lease-size.ts';
import { RedisOrders, type Amounts, type Demand, type OrderTerms } from './redis-orders.ts';
import { Refusals } from './redis-refusals.ts';
import { RecentUse } from './redis-use.ts';

export interface RedisLimiterOptions extends OrderTerms {
  readonly onFailure: OnFailure;
  /** Has as many slots; decides while Redis does not, where that is `local`. */
  readonly fallback: Limiter;
}

/** What a lease has left after this time goes back, of so many keys in one go. */
const leaseMs = 50;
const sweepSlice = 500;
/** Fewer units than these are not worth a lease ahead of need. */
const busyUnits = 4;

/**
 * A limit that gateways share: each leases units of a key from Redis, about as many as it uses in 30 ms, and spends them by
 * itself. What is spent is never more than what was leased, so the limit holds whatever happens to a gateway or to Redis. A
 * take for which the lease does not suffice is `undecided` until Redis has answered or, 50 ms later at most, the failure mode
 * decides about the key. What a gateway does not use it gives back within 100 ms.
 */
export class RedisLimiter implements Limiter {
  readonly leases = true;
  readonly #options: RedisLimiterOptions;
  readonly #failure: FailureMode;
  readonly #orders: RedisOrders;
  /** Leased and not spent; a take that leaves less than the floor looks for more. */
  readonly #credit: Float64Array;
  readonly #floor: Float64Array;
  readonly #leasedAtMs: Float64Array;
  /** Slots with credit, in the order of their leases. */
  readonly #holding = new Set<number>();
  readonly #use: RecentUse;
  readonly #refusals: Refusals;
  #size: LeaseSize;
  #timer: NodeJS.Timeout | undefined;
  readonly #unsubscribe: () => void;

  constructor(options: RedisLimiterOptions) {
    const { slots, strategy, settings, link, onFailure, fallback } = options;
    this.#options = options;
    this.#failure = new FailureMode(onFailure, fallback, slots);
    this.#orders = new RedisOrders({
      ...options,
      amountsFor: (slot, demand, nowMs) => this.#amountsFor(slot, demand, nowMs),
      onAnswer: (slot, amounts, answer) => this.#onAnswer(slot, amounts, answer),
    });
    this.#size = leaseSize(strategy, settings);
    this.#credit = new Float64Array(slots);
    this.#floor = new Float64Array(slots);
    this.#leasedAtMs = new Float64Array(slots);
    this.#use = new RecentUse(slots);
    this.#refusals = new Refusals(slots);
    this.#unsubscribe = link.onChange((up) => {
      if (!up) for (const slot of this.#holding) this.#dropCredit(slot);
      // It may have come back empty, or as another one.
      else this.#refusals.reconsider();
    });
  }

  take(slot: number, cost: number, nowMs: number): number {
    const left = this.#credit[slot]! - cost;
    if (left < this.#floor[slot]!) return this.#takeSlowly(slot, cost, left, nowMs);
    this.#credit[slot] = left;
    return 0;
  }

  /** What `take` would return; takes nothing. Where that is `undecided` it asks, so that a take soon after is not. */
  peek(slot: number, cost: number, nowMs: number): number {
    if (this.#credit[slot]! >= cost) return 0;
    if (!this.#options.link.up) return this.#failure.peek(slot, cost, nowMs);
    const waitMs = this.#refusedMs(slot, cost, nowMs);
    if (waitMs > 0) return waitMs;
    if (this.#orders.isFailing(slot)) return this.#failure.peek(slot, cost, nowMs);
    this.#orders.watch(slot);
    return undecided;
  }

  refund(slot: number, cost: number): void {
    if (!this.#options.link.up) return this.#failure.refund(slot, cost);
    if (this.#orders.isFailing(slot)) return this.#failure.refundUnleased(slot, cost);
    this.#credit[slot]! += cost;
    this.#orders.refund(slot, cost);
  }

  /** Blocks the key at all gateways. One that is blocked stays so for as long as was said; Redis being away blocks nobody. */
  block(slot: number, durationMs: number, nowMs: number): void {
    const { link, onFailure, fallback } = this.#options;
    if (!link.up && onFailure !== 'local') return;
    if (this.#refusals.isBlocked(slot, nowMs)) return;
    this.#orders.forgo(slot);
    this.#dropCredit(slot);
    this.#refusals.block(slot, nowMs + durationMs);
    fallback.block(slot, durationMs, nowMs);
    this.#orders.tell(slot, { blockMs: durationMs });
  }

  isFresh(slot: number, nowMs: number): boolean {
    return (
      this.#orders.isIdle(slot) &&
      this.#credit[slot] === 0 &&
      !this.#refusals.isRefused(slot, nowMs) &&
      this.#options.fallback.isFresh(slot, nowMs)
    );
  }

  reset(slot: number, key: string): void {
    this.#giveBack(slot);
    this.#orders.reset(slot, key);
    this.#failure.settleUnleased(slot);
    this.#use.reset(slot);
    this.#refusals.reset(slot);
    this.#options.fallback.reset(slot, key);
  }

  merge(from: number, to: number, nowMs: number): void {
    this.#giveBack(from);
    this.#options.fallback.merge(from, to, nowMs);
    if (!this.#refusals.isRefused(from, nowMs)) return;
    this.#giveBack(to);
    this.#refusals.merge(from, to, nowMs);
  }

  configure(settings: LimiterSettings, nowMs: number): void {
    for (const slot of this.#holding) this.#giveBack(slot);
    this.#orders.settings = settings;
    this.#size = leaseSize(this.#options.strategy, settings);
    this.#refusals.reconsider();
    this.#options.fallback.configure(settings, nowMs);
  }

  /** Gives back what was leased a while ago and not used; while there is any, a timer of its own does. */
  sweep(nowMs: number): void {
    let looks = sweepSlice;
    for (const slot of this.#holding) {
      if (nowMs - this.#leasedAtMs[slot]! < leaseMs || looks-- === 0) return;
      this.#giveBack(slot);
    }
  }

  /** Gives all back, for a limit that is no more; its link stays open. */
  close(): void {
    for (const slot of this.#holding) this.#giveBack(slot);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#orders.close();
    this.#unsubscribe();
  }

  #takeSlowly(slot: number, cost: number, left: number, nowMs: number): number {
    if (!this.#options.link.up) return this.#failure.take(slot, cost, nowMs);
    if (left >= 0) {
      this.#credit[slot] = left;
      this.#floor[slot] = 0;
      if (!this.#refusals.isPaused(slot, nowMs)) this.#orders.place(slot);
      return 0;
    }
    const waitMs = this.#refusedMs(slot, cost, nowMs);
    if (waitMs > 0) return waitMs;
    if (this.#orders.isFailing(slot)) return this.#failure.takeUnleased(slot, cost, nowMs);
    this.#orders.wait(slot, cost, nowMs);
    return undecided;
  }

  /** For how long the cost is refused by what is known; now and then somebody asks whether it still is. */
  #refusedMs(slot: number, cost: number, nowMs: number): number {
    const waitMs = this.#refusals.waitMs(slot, cost, this.#orders.settings.ratePerSecond, nowMs);
    if (waitMs > 0 && this.#refusals.isTimeToAsk(slot, nowMs)) this.#orders.place(slot);
    return waitMs;
  }

  #amountsFor(slot: number, demand: Demand | undefined, nowMs: number): Amounts {
    const { capacity, share } = this.#size;
    const credit = this.#credit[slot]!;
    const recent = Math.ceil(Math.min(this.#use.look(slot, credit, nowMs), share));
    if (demand === undefined) {
      const least = Math.max(1, this.#refusals.refusedCost(slot, nowMs));
      return { want: Math.max(least, recent), least };
    }
    const least = Math.max(1, demand.cost - credit);
    return { want: Math.max(least, Math.min(demand.units, capacity), recent), least };
  }

  #onAnswer(slot: number, amounts: Amounts, answer: LeaseAnswer | undefined): void {
    // Local decisions count for all gateways afterwards.
    const unleased = this.#failure.settleUnleased(slot);
    if (unleased > 0) this.#orders.tell(slot, { returned: -unleased });
    if (answer === undefined) this.#giveBack(slot);
    else this.#settle(slot, amounts, answer);
  }

  #settle(slot: number, { want, least }: Amounts, { granted, waitMs, blocked }: LeaseAnswer): void {
    const nowMs = this.#options.nowMs();
    const { fallback } = this.#options;
    if (blocked) {
      this.#dropCredit(slot);
      this.#refusals.block(slot, nowMs + waitMs);
      fallback.block(slot, waitMs, nowMs);
      return;
    }
    if (granted > 0) this.#hold(slot, granted, granted >= want, nowMs);
    if (granted >= want) return;
    if (granted === 0) this.#refusals.refuse(slot, nowMs + waitMs, least, nowMs);
    this.#refusals.pause(slot, nowMs + this.#size.pauseMs);
  }

  #hold(slot: number, units: number, isPlenty: boolean, nowMs: number): void {
    const credit = this.#credit[slot]! + units;
    this.#credit[slot] = credit;
    this.#floor[slot] = isPlenty && units >= busyUnits ? credit / 2 : 0;
    this.#leasedAtMs[slot] = nowMs;
    this.#use.add(slot, units);
    this.#failure.prime(slot, units, nowMs);
    this.#refusals.allow(slot);
    this.#holding.delete(slot);
    this.#holding.add(slot);
    this.#timer ??= setTimeout(this.#onTimer, leaseMs).unref();
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined;
    this.sweep(this.#options.nowMs());
    if (this.#holding.size > 0) this.#timer = setTimeout(this.#onTimer, leaseMs / 2).unref();
  };

  #giveBack(slot: number): void {
    const credit = this.#credit[slot]!;
    if (credit > 0) {
      this.#use.look(slot, credit, this.#options.nowMs());
      this.#orders.tell(slot, { returned: credit });
    }
    this.#dropCredit(slot);
  }

  #dropCredit(slot: number): void {
    this.#credit[slot] = 0;
    this.#floor[slot] = 0;
    this.#use.empty(slot);
    this.#holding.delete(slot);
  }
}
