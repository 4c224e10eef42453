import type { DelayingLimiter, LimiterSettings } from '../limiter.ts';
import { BucketWords } from './thread-bucket-words.ts';
import { ThreadCells } from './thread-cells.ts';
import { clockOffsetMs } from './thread-clock.ts';
import { LentSlots } from './thread-lent.ts';
import { ThreadLayout, type ThreadMemory } from './thread-memory.ts';
import { ThreadSettings } from './thread-settings.ts';
import { WindowWords } from './thread-window-words.ts';
import type { ThreadWords } from './thread-words.ts';

export interface ThreadLimiterOptions {
  readonly slots: number;
  /** The clock that the times passed in are from. */
  readonly now?: () => number;
  /** What makes a time of that clock one that all threads share; measured unless given. */
  readonly clockOffsetMs?: number;
}

/** Doubles per slot: one cache line. */
const stride = 8;
/** Places in them: what was leased and not spent, and until when it may be. */
const credit = 0;
const endsMs = 1;
/** A refusal holds until it is time to look again, for the same cost. */
const refusedUntilMs = 2;
const refusedCost = 3;
const opensMs = 4;
const leasedMs = 5;
/** How much to lease beyond what is asked for. */
const block = 6;
/** When the lease would end were all of it spent. */
const lastsMs = 7;

/** A lease should last this long: less, and the next is larger; four times as long, and it is smaller. */
const leaseLastsMs = 1;
/** What part of the limit a thread may have and not spend: small enough for 16 threads to leave most of it to those who ask. */
const mostIdlePart = 1 / 64;
/** What is not spent for so long is given back. */
const idleMs = 5;
/** After this a refused slot looks whether others have given back. */
const lookAgainMs = 1;
/** And not before this, so that a fast limit that is used up is not looked at for every single unit. */
const looksEachMs = 0.002;
const sweepSlice = 1_000;
/** How many words a sweep looks at, for a fresh one is then marked as such. */
const tidySlice = 50;

/**
 * One thread's part in a limit that threads share. It leases from the shared word in blocks sized by use, and spends them with
 * neither atomics nor allocations. All threads together, up to 16 of them, never let more pass than one alone would, at any time;
 * a third of a bucket that several use at once, two thirds at a load of just its rate, may be missing from a burst until they
 * pause. Slots that were never reset share what the same slots of other threads have. Waits are whole milliseconds, rounded up.
 */
export class ThreadLimiter implements DelayingLimiter {
  readonly leases = true;
  /** The cells that the slots have, for `releaseHeld` when this thread has died. */
  readonly held: SharedArrayBuffer;
  readonly #strategy: ThreadMemory['strategy'];
  readonly #now: () => number;
  readonly #offsetMs: number;
  readonly #settings: ThreadSettings;
  readonly #words: ThreadWords;
  readonly #cells: ThreadCells;
  /** By slot, its cell + 1; 0 when it has none yet. */
  readonly #cellOf: Int32Array<SharedArrayBuffer>;
  readonly #own: Float64Array;
  /** Slots with credit, and perhaps some that have spent it. */
  readonly #lent: LentSlots;
  #tidyHand = 0;
  #usedSlots = 0;
  #seenMs = 0;

  constructor(memory: ThreadMemory, options: ThreadLimiterOptions) {
    const { slots, now = () => performance.now() } = options;
    const layout = new ThreadLayout(memory);
    this.#strategy = memory.strategy;
    this.#now = now;
    this.#offsetMs = options.clockOffsetMs ?? clockOffsetMs(layout.epochNs);
    this.#settings = new ThreadSettings(layout);
    this.#words =
      memory.strategy === 'sliding-window'
        ? new WindowWords(layout, this.#settings)
        : new BucketWords(layout, this.#settings);
    this.#cells = new ThreadCells(layout, (cell, nowMs) => this.#words.isFresh(cell, nowMs));
    this.held = new SharedArrayBuffer(slots * 4);
    this.#cellOf = new Int32Array(this.held);
    this.#own = new Float64Array(slots * stride);
    this.#lent = new LentSlots(slots);
  }

  take(slot: number, cost: number, nowMs: number): number {
    const own = this.#own;
    const at = slot * stride;
    const left = own[at + credit]! - cost;
    if (left >= 0 && nowMs < own[at + endsMs]!) {
      own[at + credit] = left;
      return 0;
    }
    if (nowMs < own[at + refusedUntilMs]! && cost === own[at + refusedCost]!) {
      return Math.ceil(own[at + opensMs]! - nowMs);
    }
    return this.#lease(slot, cost, nowMs);
  }

  /** As in DelayingLimiter. Throws for a sliding window, which cannot. */
  takeDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number {
    const words = this.#words;
    if (!(words instanceof BucketWords)) throw new Error('bug: a sliding window cannot delay');
    const cell = this.#cellAt(slot, nowMs);
    this.#giveBack(slot);
    const delayMs = words.delay(
      cell,
      cost,
      this.#common(nowMs),
      this.#common(this.#own[slot * stride + lastsMs]!),
      maxDelayMs,
      this.#strategy === 'leaky-bucket',
    );
    if (delayMs >= 0) this.#leased(slot, 0);
    this.#own[slot * stride + leasedMs] = nowMs;
    return delayMs;
  }

  peekDelayed(slot: number, cost: number, nowMs: number, maxDelayMs: number): number {
    if (this.takeDelayed(slot, cost, nowMs, maxDelayMs) < 0) return Math.max(1, this.peek(slot, cost, nowMs));
    this.refund(slot, cost);
    return 0;
  }

  peek(slot: number, cost: number, nowMs: number): number {
    const cell = this.#cellAt(slot, nowMs);
    const left = this.#creditAt(slot, nowMs);
    if (left >= cost && left > 0) return 0;
    this.#giveBack(slot);
    return Math.ceil(this.#words.peek(cell, cost, this.#common(nowMs)));
  }

  refund(slot: number, cost: number): void {
    const own = this.#own;
    const at = slot * stride;
    own[at + credit]! += cost;
    own[at + endsMs] = this.#endOf(at);
    own[at + refusedUntilMs] = 0;
    if (own[at + credit]! > this.#mostIdle()) this.#giveBack(slot);
    else this.#lent.add(slot);
  }

  /** As in Limiter; what other threads have leased they may still spend. */
  block(slot: number, durationMs: number, nowMs: number): void {
    const cell = this.#cellAt(slot, nowMs);
    this.#forgive(slot);
    this.#own[slot * stride + endsMs] = 0;
    this.#words.block(cell, durationMs, this.#common(nowMs));
  }

  isFresh(slot: number, nowMs: number): boolean {
    const cell = this.#cellAt(slot, nowMs);
    this.#giveBack(slot);
    return this.#words.isFresh(cell, this.#common(nowMs));
  }

  /** The slot has the part of this key from now on, which is fresh unless it is used in another slot or thread. */
  reset(slot: number, key: string): void {
    this.#seenMs = Math.max(this.#seenMs, this.#now());
    this.#letGo(slot);
    this.#own.fill(0, slot * stride, (slot + 1) * stride);
    this.#hold(slot, key);
  }

  merge(from: number, to: number, nowMs: number): void {
    if (this.#cellOf[from] === 0) return;
    const cell = this.#cellAt(from, nowMs);
    const target = this.#cellAt(to, nowMs);
    if (cell === target) return;
    this.#forgive(from);
    this.#forgive(to);
    this.#words.merge(cell, target, this.#common(nowMs));
  }

  /** As in Limiter; every thread is to call it, and the first one puts the settings in force for all. */
  configure(settings: LimiterSettings, nowMs: number): void {
    this.#seenMs = nowMs;
    for (let slot = 0; slot < this.#usedSlots; slot++) this.#forgive(slot);
    this.#settings.publish(settings, this.#common(nowMs));
  }

  /** Gives back what was leased, and the cells. */
  close(): void {
    this.#seenMs = Math.max(this.#seenMs, this.#now());
    for (let slot = 0; slot < this.#usedSlots; slot++) this.#letGo(slot);
  }

  /** Gives back what was not spent for some milliseconds; to be called about as often as that. */
  sweep(nowMs: number): void {
    this.#seenMs = nowMs;
    for (let looks = Math.min(tidySlice, this.#usedSlots); looks > 0; looks--) {
      this.#tidyHand = (this.#tidyHand + 1) % this.#usedSlots;
      const cell = this.#cellOf[this.#tidyHand]! - 1;
      if (cell >= 0) this.#words.isFresh(cell, this.#common(nowMs));
    }
    this.#lent.sweep(sweepSlice, (slot) => {
      if (nowMs - this.#own[slot * stride + leasedMs]! < idleMs) return false;
      this.#giveBack(slot);
      return true;
    });
  }

  /** Leases what is missing and some more, and takes. */
  #lease(slot: number, cost: number, nowMs: number): number {
    const cell = this.#cellAt(slot, nowMs);
    const own = this.#own;
    const at = slot * stride;
    const words = this.#words;
    if (cost > words.capacity()) this.#giveBack(slot);
    const had = own[at + credit]!;
    const left = this.#creditAt(slot, nowMs);
    // Enough, though some of it has drained.
    if (left >= cost && left > 0) {
      own[at + credit] = left - cost;
      own[at + endsMs] = this.#endOf(at);
      return 0;
    }
    const missing = cost - left;
    const more = Math.floor(this.#nextBlock(at, cost, nowMs, left === 0 && had > 0));
    const granted = words.lease(
      cell,
      missing + more,
      missing,
      this.#common(nowMs),
      this.#common(own[at + lastsMs]!),
    );
    if (granted < 0) return this.#refuse(slot, cost, nowMs);
    this.#leased(slot, granted - missing);
    own[at + refusedUntilMs] = 0;
    if (granted > missing) this.#lent.add(slot);
    return 0;
  }

  /** Keeps what is over of what the words have just leased. */
  #leased(slot: number, over: number): void {
    const at = slot * stride;
    const { endsMs: endMs, unitMs } = this.#words;
    this.#own[at + credit] = over;
    this.#own[at + endsMs] = endMs - this.#offsetMs;
    this.#own[at + lastsMs] = this.#own[at + endsMs]! + over * unitMs;
  }

  /** Says how long to wait, and keeps it in mind. */
  #refuse(slot: number, cost: number, nowMs: number): number {
    const own = this.#own;
    const at = slot * stride;
    // What is left might be of no use any more at the end of the wait.
    this.#giveBack(slot);
    const openInMs = this.#words.peek(this.#cellOf[slot]! - 1, cost, this.#common(nowMs));
    const waitMs = Math.max(openInMs, looksEachMs);
    own[at + opensMs] = nowMs + waitMs;
    own[at + refusedUntilMs] = nowMs + Math.min(waitMs, lookAgainMs);
    own[at + refusedCost] = cost;
    return Math.ceil(waitMs);
  }

  /** How much to lease beyond what is asked for: what was used in a millisecond, found by doubling; less when all of it drained. */
  #nextBlock(at: number, cost: number, nowMs: number, drained: boolean): number {
    const own = this.#own;
    const lastedMs = nowMs - own[at + leasedMs]!;
    own[at + leasedMs] = nowMs;
    const before = own[at + block]!;
    const wanted =
      lastedMs < leaseLastsMs
        ? 2 * before + cost
        : drained || lastedMs > 4 * leaseLastsMs
          ? before * (leaseLastsMs / lastedMs)
          : before;
    return (own[at + block] = Math.min(wanted, this.#mostIdle()));
  }

  #mostIdle(): number {
    return Math.floor(this.#words.capacity() * mostIdlePart);
  }

  /** What may still be spent; what may have drained is forgotten. */
  #creditAt(slot: number, nowMs: number): number {
    const own = this.#own;
    const at = slot * stride;
    const left = own[at + credit]!;
    if (left === 0 || nowMs < own[at + endsMs]!) return left;
    const { unitMs } = this.#words;
    const endMs = this.#endOf(at);
    const drained = unitMs > 0 ? Math.max(0, nowMs - endMs) / unitMs : left;
    const kept = Math.max(0, left - drained);
    own[at + credit] = kept;
    own[at + lastsMs] = kept > 0 ? Math.max(nowMs, endMs) + kept * unitMs : endMs;
    return kept;
  }

  /** When the lease ends, by what is spent of it; not before it began, though all of it was refunded. */
  #endOf(at: number): number {
    const endMs = this.#own[at + lastsMs]! - this.#own[at + credit]! * this.#words.unitMs;
    return Math.max(this.#own[at + leasedMs]!, endMs);
  }

  /** Gives back what was leased and not spent. */
  #giveBack(slot: number): void {
    const at = slot * stride;
    const left = this.#creditAt(slot, this.#seenMs);
    if (left === 0) return;
    const endMs = this.#endOf(at);
    this.#own[at + credit] = this.#words.giveBack(
      this.#cellOf[slot]! - 1,
      left,
      this.#common(endMs),
      this.#common(this.#seenMs),
    );
    this.#own[at + lastsMs] = endMs;
  }

  /** Keeps nothing of what it leased and what it knows of refusals. */
  #forgive(slot: number): void {
    this.#giveBack(slot);
    this.#own[slot * stride + credit] = 0;
    this.#own[slot * stride + lastsMs] = 0;
    this.#own[slot * stride + refusedUntilMs] = 0;
  }

  #letGo(slot: number): void {
    const cell = this.#cellOf[slot]! - 1;
    if (cell < 0) return;
    this.#forgive(slot);
    this.#cellOf[slot] = 0;
    this.#cells.release(cell);
  }

  #cellAt(slot: number, nowMs: number): number {
    this.#seenMs = nowMs;
    const cell = this.#cellOf[slot]!;
    return cell > 0 ? cell - 1 : this.#hold(slot, `slot ${slot}`);
  }

  #hold(slot: number, key: string): number {
    const cell = this.#cells.hold(key, this.#seenMs + this.#offsetMs);
    this.#cellOf[slot] = cell + 1;
    if (slot >= this.#usedSlots) this.#usedSlots = slot + 1;
    return cell;
  }

  #common(nowMs: number): number {
    return nowMs + this.#offsetMs;
  }
}
