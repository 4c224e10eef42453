import { undecided, type Limiter, type LimiterSettings } from '../limiter.ts';
import type { StrategyName } from '../strategies.ts';
import type { LeaseAnswer, LeaseRequest } from './lease-script.ts';
import { FailureMode, type OnFailure } from './redis-failure.ts';
import { redisKey } from './redis-key.ts';
import { leaseSize, type LeaseSize } from './redis-lease-size.ts';
import type { LeaseLink } from './redis-link.ts';
import { Refusals } from './redis-refusals.ts';
import { RecentUse } from './redis-use.ts';

export interface RedisLimiterOptions {
  /** What the limit is called; gateways with the same name and prefix share it. */
  readonly name: string;
  readonly strategy: StrategyName;
  readonly settings: LimiterSettings;
  readonly slots: number;
  readonly link: LeaseLink;
  readonly keyPrefix: string;
  readonly onFailure: OnFailure;
  /** Has as many slots; decides while Redis does not, where that is `local`. */
  readonly fallback: Limiter;
  /** What was `undecided` about the slot may be taken again, best before this returns. */
  readonly onDecided: (slot: number) => void;
  readonly nowMs: () => number;
  /** How long Redis may take for a decision. */
  readonly patienceMs?: number;
}

/** A request under way. */
interface Order {
  readonly want: number;
  readonly least: number;
  /** What those who wait need, which may be more than the limit can hold. */
  readonly needed: number;
  /** Something waits for the answer, and since when. */
  readonly isDemand: boolean;
  readonly sinceMs: number;
}

/** A slot is to be asked about at the end of this turn, or has been. */
const queued = 1;
const asked = 2;
/** A take waits for what is asked next; or somebody looked, and wants to hear of the answer. */
const waiting = 4;
const watched = 8;
/** Redis was late: until it answers, the failure mode decides. */
const failing = 16;

/** Leaves time for timers and turns, out of the 50 ms within which there is a decision. */
const defaultPatienceMs = 40;
/** Redis has this long in any case: what waited may have waited for this thread. */
const leastPatienceMs = 10;
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
  readonly #keys: (string | undefined)[] = [];
  /** Leased and not spent; a take that leaves less than the floor looks for more. */
  readonly #credit: Float64Array;
  readonly #floor: Float64Array;
  readonly #leasedAtMs: Float64Array;
  /** Slots with credit, in the order of their leases. */
  readonly #holding = new Set<number>();
  readonly #use: RecentUse;
  readonly #refusals: Refusals;
  readonly #state: Uint8Array;
  /** Of what waits: all of it, the cost that came first, and when that was. */
  readonly #waitingUnits: Float64Array;
  readonly #waitingCost: Float64Array;
  readonly #waitingSinceMs: Float64Array;
  /** Taken from the fallback while Redis was late, which Redis does not know of. */
  readonly #unleased: Float64Array;
  /** Answers to an earlier generation are about another key. */
  readonly #generation: Uint32Array;
  #queue: number[] = [];
  /** Since when what is now taken again has waited; 0 = it is new. */
  #waitedSinceMs = 0;
  #settings: LimiterSettings;
  #size: LeaseSize;
  #timer: NodeJS.Timeout | undefined;
  readonly #unsubscribe: () => void;

  constructor(options: RedisLimiterOptions) {
    const { slots, strategy, settings, link } = options;
    this.#options = options;
    this.#failure = new FailureMode(options.onFailure, options.fallback);
    this.#settings = settings;
    this.#size = leaseSize(strategy, settings);
    this.#credit = new Float64Array(slots);
    this.#floor = new Float64Array(slots);
    this.#leasedAtMs = new Float64Array(slots);
    this.#use = new RecentUse(slots);
    this.#refusals = new Refusals(slots);
    this.#state = new Uint8Array(slots);
    this.#waitingUnits = new Float64Array(slots);
    this.#waitingCost = new Float64Array(slots);
    this.#waitingSinceMs = new Float64Array(slots);
    this.#unleased = new Float64Array(slots);
    this.#generation = new Uint32Array(slots);
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
    if (this.#isFailing(slot)) return this.#failure.peek(slot, cost, nowMs);
    this.#state[slot]! |= watched;
    this.#enqueue(slot);
    return undecided;
  }

  refund(slot: number, cost: number): void {
    if (!this.#options.link.up) return this.#failure.refund(slot, cost);
    if (this.#isFailing(slot)) {
      this.#unleased[slot]! -= cost;
      return this.#failure.refund(slot, cost);
    }
    this.#credit[slot]! += cost;
    // Who takes several times and then waits, for the rest of a batch, will take all of it.
    if ((this.#state[slot]! & waiting) !== 0) this.#waitingUnits[slot]! += cost;
  }

  /** Blocks the key at all gateways. One that is blocked stays so for as long as was said; Redis being away blocks nobody. */
  block(slot: number, durationMs: number, nowMs: number): void {
    const { link, onFailure, fallback } = this.#options;
    if (!link.up && onFailure !== 'local') return;
    if (this.#refusals.isBlocked(slot, nowMs)) return;
    this.#generation[slot]!++;
    this.#state[slot]! &= ~(asked | failing);
    this.#dropCredit(slot);
    this.#refusals.block(slot, nowMs + durationMs);
    fallback.block(slot, durationMs, nowMs);
    this.#tell(this.#keyOf(slot), { blockMs: durationMs });
  }

  isFresh(slot: number, nowMs: number): boolean {
    return (
      this.#state[slot] === 0 &&
      this.#credit[slot] === 0 &&
      !this.#refusals.isRefused(slot, nowMs) &&
      this.#options.fallback.isFresh(slot, nowMs)
    );
  }

  reset(slot: number, key: string): void {
    const { keyPrefix, name, fallback } = this.#options;
    this.#giveBack(slot);
    this.#generation[slot]!++;
    this.#state[slot] = 0;
    this.#unleased[slot] = 0;
    this.#use.reset(slot);
    this.#refusals.reset(slot);
    this.#keys[slot] = redisKey(keyPrefix, name, key);
    fallback.reset(slot, key);
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
    this.#settings = settings;
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
    // What is granted from now on goes back at once.
    for (let slot = 0; slot < this.#generation.length; slot++) this.#generation[slot]!++;
    this.#state.fill(0);
    this.#unsubscribe();
  }

  #takeSlowly(slot: number, cost: number, left: number, nowMs: number): number {
    if (!this.#options.link.up) return this.#failure.take(slot, cost, nowMs);
    if (left >= 0) {
      this.#credit[slot] = left;
      this.#floor[slot] = 0;
      if (!this.#refusals.isPaused(slot, nowMs)) this.#enqueue(slot);
      return 0;
    }
    const waitMs = this.#refusedMs(slot, cost, nowMs);
    if (waitMs > 0) return waitMs;
    if (this.#isFailing(slot)) return this.#takeUnleased(slot, cost, nowMs);
    this.#wait(slot, cost, nowMs);
    return undecided;
  }

  /** For how long the cost is refused by what is known; now and then somebody asks whether it still is. */
  #refusedMs(slot: number, cost: number, nowMs: number): number {
    const waitMs = this.#refusals.waitMs(slot, cost, this.#settings.ratePerSecond, nowMs);
    if (waitMs > 0 && this.#refusals.isTimeToAsk(slot, nowMs)) this.#enqueue(slot);
    return waitMs;
  }

  #takeUnleased(slot: number, cost: number, nowMs: number): number {
    const waitMs = this.#failure.take(slot, cost, nowMs);
    if (waitMs === 0) this.#unleased[slot]! += cost;
    return waitMs;
  }

  #isFailing(slot: number): boolean {
    return (this.#state[slot]! & failing) !== 0;
  }

  /** Remembers that something waits for a decision, and asks for it. */
  #wait(slot: number, cost: number, nowMs: number): void {
    if ((this.#state[slot]! & waiting) === 0) {
      this.#state[slot]! |= waiting;
      this.#waitingUnits[slot] = 0;
      this.#waitingCost[slot] = cost;
      this.#waitingSinceMs[slot] = this.#waitedSinceMs === 0 ? nowMs : this.#waitedSinceMs;
    }
    this.#waitingUnits[slot]! += cost;
    this.#enqueue(slot);
  }

  /** One request per slot at a time, at the end of the turn: it is for all that the turn brings. */
  #enqueue(slot: number): void {
    if ((this.#state[slot]! & (queued | asked)) !== 0) return;
    this.#state[slot]! |= queued;
    this.#queue.push(slot);
    if (this.#queue.length === 1) setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    const slots = this.#queue;
    this.#queue = [];
    const nowMs = this.#options.nowMs();
    for (const slot of slots) {
      if ((this.#state[slot]! & queued) !== 0) this.#ask(slot, nowMs);
      // It was reset meanwhile: whoever waited for the key it stood for has to look again.
      else this.#options.onDecided(slot);
    }
  };

  #ask(slot: number, nowMs: number): void {
    const order = this.#orderFor(slot, nowMs);
    const { want, least, sinceMs } = order;
    const { link, patienceMs = defaultPatienceMs } = this.#options;
    this.#state[slot] = asked | (this.#state[slot]! & (watched | failing));
    const generation = this.#generation[slot]!;
    const key = this.#keyOf(slot);
    const request = this.#request({ want, least });
    void link.ask(key, request, Math.max(leastPatienceMs, patienceMs - (nowMs - sinceMs))).then((answer) => {
      if (generation === this.#generation[slot]) return this.#onAnswer(slot, order, answer);
      if (answer !== undefined && answer.granted > 0) this.#tell(key, { returned: answer.granted });
      this.#options.onDecided(slot);
    });
  }

  #orderFor(slot: number, nowMs: number): Order {
    const { capacity, share } = this.#size;
    const credit = this.#credit[slot]!;
    const recent = Math.ceil(Math.min(this.#use.look(slot, credit, nowMs), share));
    if ((this.#state[slot]! & waiting) === 0) {
      const least = Math.max(1, this.#refusals.refusedCost(slot, nowMs));
      return { want: Math.max(least, recent), least, needed: 0, isDemand: false, sinceMs: nowMs };
    }
    const needed = this.#waitingUnits[slot]!;
    const least = Math.max(1, this.#waitingCost[slot]! - credit);
    const want = Math.max(least, Math.min(needed, capacity), recent);
    return { want, least, needed, isDemand: true, sinceMs: this.#waitingSinceMs[slot]! };
  }

  #onAnswer(slot: number, order: Order, answer: LeaseAnswer | undefined): void {
    const hasLate = (this.#state[slot]! & waiting) !== 0;
    const isAwaited = order.isDemand || (this.#state[slot]! & (waiting | watched)) !== 0;
    this.#state[slot] = 0;
    if (this.#options.link.up) {
      this.#tellUnleased(slot);
      if (answer === undefined) this.#fail(slot);
      else this.#settle(slot, order, answer);
    }
    if (!isAwaited) return;
    // Who waited for this answer and got too little keeps the time; otherwise it is that of those who came later.
    const isShort = order.isDemand && (answer?.granted ?? 0) < order.needed;
    const lateSinceMs = hasLate ? this.#waitingSinceMs[slot]! : 0;
    this.#waitedSinceMs = isShort ? order.sinceMs : lateSinceMs;
    try {
      this.#options.onDecided(slot);
    } finally {
      this.#waitedSinceMs = 0;
    }
  }

  /** Local decisions count for all gateways afterwards. */
  #tellUnleased(slot: number): void {
    const units = this.#unleased[slot]!;
    this.#unleased[slot] = 0;
    if (units > 0 && this.#options.onFailure === 'local') this.#tell(this.#keyOf(slot), { returned: -units });
  }

  /** Redis is late: it is asked again, and meanwhile nobody waits for it. */
  #fail(slot: number): void {
    this.#giveBack(slot);
    this.#state[slot] = failing;
    this.#enqueue(slot);
  }

  #settle(slot: number, { want, least }: Order, { granted, waitMs, blocked }: LeaseAnswer): void {
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
    if (this.#options.onFailure === 'local') this.#prime(slot, units, nowMs);
    this.#refusals.allow(slot);
    this.#holding.delete(slot);
    this.#holding.add(slot);
    this.#timer ??= setTimeout(this.#onTimer, leaseMs).unref();
  }

  /** What was leased may be used: should the fallback decide, it goes on from there. What does not fit any more is taken in part. */
  #prime(slot: number, units: number, nowMs: number): void {
    const { fallback } = this.#options;
    if (fallback.take(slot, units, nowMs) === 0) return;
    for (let part = units / 2; part >= 0.5; part /= 2) fallback.take(slot, Math.ceil(part), nowMs);
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
      this.#tell(this.#keyOf(slot), { returned: credit });
    }
    this.#dropCredit(slot);
  }

  #dropCredit(slot: number): void {
    this.#credit[slot] = 0;
    this.#floor[slot] = 0;
    this.#use.empty(slot);
    this.#holding.delete(slot);
  }

  /** Tells Redis something; its answer is of no interest. */
  #tell(key: string, news: Partial<LeaseRequest>): void {
    const { link, patienceMs = defaultPatienceMs } = this.#options;
    void link.ask(key, this.#request(news), patienceMs);
  }

  #request(request: Partial<LeaseRequest>): LeaseRequest {
    const nothing = { want: 0, least: 0, returned: 0, blockMs: 0 } as const;
    return { strategy: this.#options.strategy, settings: this.#settings, ...nothing, ...request };
  }

  #keyOf(slot: number): string {
    const { keyPrefix, name } = this.#options;
    return (this.#keys[slot] ??= redisKey(keyPrefix, name, `slot ${slot}`));
  }
}
