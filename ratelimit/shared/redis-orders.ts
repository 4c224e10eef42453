import type { LimiterSettings } from '../limiter.ts';
import type { StrategyName } from '../strategies.ts';
import type { LeaseAnswer, LeaseRequest } from './lease-script.ts';
import { redisKey } from './redis-key.ts';
import type { LeaseLink } from './redis-link.ts';

/** Whose orders these are, and how they are placed. */
export interface OrderTerms {
  /** What the limit is called; gateways with the same name and prefix share it. */
  readonly name: string;
  readonly strategy: StrategyName;
  readonly settings: LimiterSettings;
  readonly slots: number;
  readonly link: LeaseLink;
  readonly keyPrefix: string;
  /** What was `undecided` about the slot may be taken again, best before this returns. */
  readonly onDecided: (slot: number) => void;
  readonly nowMs: () => number;
  /** How long Redis may take for a decision. */
  readonly patienceMs?: number;
}

/** What waits for a decision about a slot. */
export interface Demand {
  /** All of it, which may be more than the limit can hold. */
  readonly units: number;
  /** The cost that came first. */
  readonly cost: number;
  readonly sinceMs: number;
}

/** What is asked of Redis: as much as is wanted, and less than `least` is of no use. */
export type Amounts = Pick<LeaseRequest, 'want' | 'least'>;

export interface RedisOrdersOptions extends OrderTerms {
  /** How much to ask for now; without a demand it is ahead of need. */
  readonly amountsFor: (slot: number, demand: Demand | undefined, nowMs: number) => Amounts;
  /** The answer, before anybody takes again; undefined when Redis is late. Not called when the link is down. */
  readonly onAnswer: (slot: number, amounts: Amounts, answer: LeaseAnswer | undefined) => void;
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

/**
 * Asks Redis for leases: one request per slot at a time, at the end of the turn, for all that the turn brought. Whoever waits
 * hears of the answer, or that there was none in time; then the slot is failing until Redis, which is asked again, answers.
 */
export class RedisOrders {
  /** Goes with each request. */
  settings: LimiterSettings;
  readonly #options: RedisOrdersOptions;
  readonly #keys: (string | undefined)[] = [];
  readonly #state: Uint8Array;
  readonly #waitingUnits: Float64Array;
  readonly #waitingCost: Float64Array;
  readonly #waitingSinceMs: Float64Array;
  /** Answers to an earlier generation are about another key. */
  readonly #generation: Uint32Array;
  #queue: number[] = [];
  /** Since when what is now taken again has waited; 0 = it is new. */
  #waitedSinceMs = 0;

  constructor(options: RedisOrdersOptions) {
    const { slots, settings } = options;
    this.#options = options;
    this.settings = settings;
    this.#state = new Uint8Array(slots);
    this.#waitingUnits = new Float64Array(slots);
    this.#waitingCost = new Float64Array(slots);
    this.#waitingSinceMs = new Float64Array(slots);
    this.#generation = new Uint32Array(slots);
  }

  /** True when nothing is asked, waits or fails. */
  isIdle(slot: number): boolean {
    return this.#state[slot] === 0;
  }

  isFailing(slot: number): boolean {
    return (this.#state[slot]! & failing) !== 0;
  }

  /** Asks for more of the slot at the end of this turn, unless it is being asked about. */
  place(slot: number): void {
    if ((this.#state[slot]! & (queued | asked)) !== 0) return;
    this.#state[slot]! |= queued;
    this.#queue.push(slot);
    if (this.#queue.length === 1) setImmediate(this.#flush);
  }

  /** Asks, and tells of the answer; nothing waits for it. */
  watch(slot: number): void {
    this.#state[slot]! |= watched;
    this.place(slot);
  }

  /** Remembers that something waits for a decision, and asks for it. */
  wait(slot: number, cost: number, nowMs: number): void {
    if ((this.#state[slot]! & waiting) === 0) {
      this.#state[slot]! |= waiting;
      this.#waitingUnits[slot] = 0;
      this.#waitingCost[slot] = cost;
      this.#waitingSinceMs[slot] = this.#waitedSinceMs === 0 ? nowMs : this.#waitedSinceMs;
    }
    this.#waitingUnits[slot]! += cost;
    this.place(slot);
  }

  /** Who takes several times and then waits, for the rest of a batch, will take all of it. */
  refund(slot: number, cost: number): void {
    if ((this.#state[slot]! & waiting) !== 0) this.#waitingUnits[slot]! += cost;
  }

  /** Tells Redis something about the slot's key; its answer is of no interest. */
  tell(slot: number, news: Partial<LeaseRequest>): void {
    this.#tell(this.#keyOf(slot), news);
  }

  /** What is under way about the slot goes back when it comes. */
  forgo(slot: number): void {
    this.#generation[slot]!++;
    this.#state[slot]! &= ~(asked | failing);
  }

  /** The slot stands for another key. */
  reset(slot: number, key: string): void {
    const { keyPrefix, name } = this.#options;
    this.#generation[slot]!++;
    this.#state[slot] = 0;
    this.#keys[slot] = redisKey(keyPrefix, name, key);
  }

  /** What is granted from now on goes back at once. */
  close(): void {
    for (let slot = 0; slot < this.#generation.length; slot++) this.#generation[slot]!++;
    this.#state.fill(0);
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
    const { link, amountsFor, onDecided, patienceMs = defaultPatienceMs } = this.#options;
    const demand = this.#demandOf(slot);
    const amounts = amountsFor(slot, demand, nowMs);
    const waitedMs = demand === undefined ? 0 : nowMs - demand.sinceMs;
    this.#state[slot] = asked | (this.#state[slot]! & (watched | failing));
    const generation = this.#generation[slot]!;
    const key = this.#keyOf(slot);
    void link
      .ask(key, this.#request(amounts), Math.max(leastPatienceMs, patienceMs - waitedMs))
      .then((answer) => {
        if (generation === this.#generation[slot]) return this.#settle(slot, demand, amounts, answer);
        if (answer !== undefined && answer.granted > 0) this.#tell(key, { returned: answer.granted });
        onDecided(slot);
      });
  }

  #demandOf(slot: number): Demand | undefined {
    if ((this.#state[slot]! & waiting) === 0) return undefined;
    const [units, cost] = [this.#waitingUnits[slot]!, this.#waitingCost[slot]!];
    return { units, cost, sinceMs: this.#waitingSinceMs[slot]! };
  }

  #settle(slot: number, demand: Demand | undefined, amounts: Amounts, answer: LeaseAnswer | undefined): void {
    const { link, onAnswer, onDecided } = this.#options;
    const hasLate = (this.#state[slot]! & waiting) !== 0;
    const isAwaited = demand !== undefined || (this.#state[slot]! & (waiting | watched)) !== 0;
    this.#state[slot] = 0;
    if (link.up) {
      onAnswer(slot, amounts, answer);
      if (answer === undefined) this.#fail(slot);
    }
    if (!isAwaited) return;
    // Who waited for this answer and got too little keeps the time; otherwise it is that of those who came later.
    const isShort = demand !== undefined && (answer?.granted ?? 0) < demand.units;
    const lateSinceMs = hasLate ? this.#waitingSinceMs[slot]! : 0;
    this.#waitedSinceMs = isShort ? demand.sinceMs : lateSinceMs;
    try {
      onDecided(slot);
    } finally {
      this.#waitedSinceMs = 0;
    }
  }

  /** Redis is late: it is asked again, and meanwhile nobody waits for it. */
  #fail(slot: number): void {
    this.#state[slot] = failing;
    this.place(slot);
  }

  #tell(key: string, news: Partial<LeaseRequest>): void {
    const { link, patienceMs = defaultPatienceMs } = this.#options;
    void link.ask(key, this.#request(news), patienceMs);
  }

  #request(request: Partial<LeaseRequest>): LeaseRequest {
    const nothing = { want: 0, least: 0, returned: 0, blockMs: 0 } as const;
    return { strategy: this.#options.strategy, settings: this.settings, ...nothing, ...request };
  }

  #keyOf(slot: number): string {
    const { keyPrefix, name } = this.#options;
    return (this.#keys[slot] ??= redisKey(keyPrefix, name, `slot ${slot}`));
  }
}
