import { keyUnder, decisions, type ClientKeys, type Decision, type LimitConfig } from './limit-config.ts';
import type { DelayingLimiter, Limiter, LimiterSettings } from './limiter.ts';
import { MethodPattern } from './method-pattern.ts';
import type { SlotSource } from './slot-source.ts';

/** How hard a refusal is: the hardest of several wins. */
const severities = { reject: 1, delay: 1, drop: 2, close: 3 } as const;
export type Severity = 0 | 1 | 2 | 3;

const decisionOf = { reject: 'rejected', delay: 'rejected', drop: 'dropped', close: 'closed' } as const;
const decisionIndex = Object.fromEntries(decisions.map((name, index) => [name, index])) as Record<
  Decision,
  number
>;

/** Who waits for what a limit has not decided yet. */
export interface Undecided {
  onDecided(): unknown;
}

export interface LimitParts {
  /** Tells it from all others. */
  readonly name: string;
  readonly config: LimitConfig;
  readonly isImplied: boolean;
  /** Made for this many slots. */
  readonly limiter: Limiter;
  readonly slotCount: number;
}

/** One configured limit: who has used how much of it, and what it decided. */
export class Limit {
  readonly name: string;
  readonly limiter: Limiter;
  /** Decisions so far, in the order of `decisions`. */
  readonly counts = new Float64Array(decisions.length);
  readonly pattern: MethodPattern | undefined;
  /** Where its keys have their slots. */
  slots!: SlotSource;
  config: LimitConfig;
  /** It follows from another one; nobody has configured it. */
  isImplied: boolean;
  readonly #slotCount: number;
  #refused: Uint32Array | undefined;
  #blockedUntilMs: Float64Array | undefined;
  readonly #waiting = new Map<number, Set<Undecided>>();

  constructor({ name, config, isImplied, limiter, slotCount }: LimitParts) {
    this.name = name;
    this.isImplied = isImplied;
    this.config = config;
    this.limiter = limiter;
    this.#slotCount = slotCount;
    this.pattern = config.scope === 'method' ? new MethodPattern(config.match!) : undefined;
  }

  get severity(): Severity {
    return severities[this.config.onExceed];
  }

  /** Requests wait for their turn, as long as the bucket holds them. */
  get delays(): boolean {
    return delays(this.config);
  }

  /** It is its limiter's turn to be asked for each request, and to refuse at once. */
  get isPlain(): boolean {
    return this.pattern === undefined && !this.delays && !this.config.dryRun;
  }

  cost(bytes: number): number {
    return this.config.unit === 'bytes' ? bytes : 1;
  }

  keyOf(client: ClientKeys): string {
    return keyUnder(this.config, client);
  }

  countOf(decision: Decision): number {
    return this.counts[decisionIndex[decision]]!;
  }

  /** Counts a decision, so often; −1 takes one back. */
  count(decision: Decision, times = 1): void {
    this.counts[decisionIndex[decision]]! += times;
  }

  /** Like the limiter's, for a limit that delays. */
  takeDelayed(slot: number, cost: number, nowMs: number): number {
    return (this.limiter as DelayingLimiter).takeDelayed(slot, cost, nowMs, this.config.maxDelayMs);
  }

  /** Milliseconds that the slot has to wait for this cost, 0 for none; takes nothing. */
  waitMs(slot: number, cost: number, nowMs: number): number {
    if (!this.delays) return this.limiter.peek(slot, cost, nowMs);
    return (this.limiter as DelayingLimiter).peekDelayed(slot, cost, nowMs, this.config.maxDelayMs);
  }

  /** Counts a refusal and puts its key into the penalty box, where there is one; returns how long to wait now. */
  refuse(slot: number, cost: number, waitMs: number, nowMs: number): number {
    this.count(decisionOf[this.config.onExceed]);
    this.countRefused(slot);
    const { blockMs } = this.config;
    if (blockMs === 0) return waitMs;
    const blockedUntilMs = (this.#blockedUntilMs ??= new Float64Array(this.#slotCount));
    if (blockedUntilMs[slot]! > nowMs) return waitMs;
    this.limiter.block(slot, blockMs, nowMs);
    // Another gateway may have blocked the key before, and it is blocked no longer for that.
    const blockedMs = this.limiter.peek(slot, 1, nowMs);
    blockedUntilMs[slot] = nowMs + Math.min(blockMs, blockedMs);
    return Math.max(waitMs, this.limiter.peek(slot, cost, nowMs));
  }

  /** Counts a request of this slot that was, or with a dry run would have been, refused. */
  countRefused(slot: number): void {
    this.#refused ??= new Uint32Array(this.#slotCount);
    this.#refused[slot]! += 1;
  }

  /** Refusals of the slot since its key came. */
  refusedOf(slot: number): number {
    return this.#refused?.[slot] ?? 0;
  }

  /** The slot has another key now. */
  reset(slot: number, key: string): void {
    if (this.#refused !== undefined) this.#refused[slot] = 0;
    if (this.#blockedUntilMs !== undefined) this.#blockedUntilMs[slot] = 0;
    this.limiter.reset(slot, key);
  }

  isFresh(slot: number, nowMs: number): boolean {
    return this.limiter.isFresh(slot, nowMs);
  }

  merge(from: number, to: number, nowMs: number): void {
    this.limiter.merge(from, to, nowMs);
  }

  /** The same limit with other figures: what was used stays used. */
  configure({ config, isImplied }: Pick<LimitParts, 'config' | 'isImplied'>, nowMs: number): void {
    this.config = config;
    this.isImplied = isImplied;
    this.limiter.configure(settingsOf(config), nowMs);
    this.#blockedUntilMs?.forEach((untilMs, slot) => {
      if (untilMs > nowMs) this.limiter.block(slot, untilMs - nowMs, nowMs);
    });
  }

  /** `owner` is told once when what was undecided about the slot may be asked again. */
  whenDecided(slot: number, owner: Undecided): void {
    const waiting = this.#waiting.get(slot);
    if (waiting === undefined) this.#waiting.set(slot, new Set([owner]));
    else waiting.add(owner);
  }

  /** Something that was undecided about the slot is known now. */
  decided(slot: number): void {
    const waiting = this.#waiting.get(slot);
    if (waiting === undefined) return;
    this.#waiting.delete(slot);
    for (const owner of waiting) owner.onDecided();
  }
}

/** True when requests above the limit wait. */
export function delays({ onExceed, dryRun }: LimitConfig): boolean {
  return onExceed === 'delay' && !dryRun;
}

/** What a limiter needs of a limit's configuration. */
export function settingsOf({ requestsPerSecond, burst, windowMs }: LimitConfig): LimiterSettings {
  return { ratePerSecond: requestsPerSecond, burst: burst ?? Math.max(1, requestsPerSecond), windowMs };
}
