import type { ThreadLayout } from './thread-memory.ts';
import type { ThreadSettings } from './thread-settings.ts';
import type { ThreadWords } from './thread-words.ts';

/** What part of a bucket all threads together may have leased and not spent. */
const mostGivenBack = 1 / 4;

// Bit 62 tells blocks from ticks.
const tickBits = 62;
const blockBit = 1n << 62n;

/**
 * Token and leaky buckets, which are the same here: a word is the tick at which all that was used will have come back (the
 * theoretical arrival time of the generic cell rate algorithm, ITU-T I.371). A unit is a whole number of ticks.
 */
export class BucketWords implements ThreadWords {
  endsMs = 0;
  readonly #settings: ThreadSettings;
  readonly #words: ThreadLayout['words'];

  constructor(layout: ThreadLayout, settings: ThreadSettings) {
    this.#words = layout.words;
    this.#settings = settings;
  }

  get unitMs(): number {
    return this.#settings.ticksPerUnit / this.#settings.ticksPerMs;
  }

  capacity(): number {
    this.#settings.refresh();
    return this.#settings.burst;
  }

  lease(cell: number, want: number, least: number, nowMs: number, lastsMs: number): number {
    const settings = this.#settings;
    settings.refresh();
    const { burst, ticksPerUnit } = settings;
    const now = settings.ticksAt(nowMs);
    const { untilWholeTick } = settings;
    for (;;) {
      const word = Atomics.load(this.#words, cell);
      const used = this.#used(word, now);
      const room = burst * ticksPerUnit - used;
      const granted = Math.min(want, Math.max(least, Math.floor(room / ticksPerUnit)));
      if (granted * ticksPerUnit > room && (used > 0 || least <= burst)) return -1;
      // What is empty drains from the next whole tick on: the rest of this one must not count for what comes now.
      const usedThen = (used > 0 ? used : untilWholeTick) + Math.ceil(granted * ticksPerUnit);
      if (!this.#swap(cell, word, tickWord(now + BigInt(usedThen)))) continue;
      this.endsMs = this.#endsMs(usedThen, least, nowMs, lastsMs);
      return granted;
    }
  }

  /**
   * Takes `cost` and returns after how many milliseconds it should pass, or takes nothing and returns -1 when that is over
   * `maxDelayMs`. A token bucket lets pass what there is and then spends what is to come; a leaky one lets each pass when those
   * before it have drained, and refuses what it has no room for.
   */
  delay(
    cell: number,
    cost: number,
    nowMs: number,
    lastsMs: number,
    maxDelayMs: number,
    leaks: boolean,
  ): number {
    const settings = this.#settings;
    settings.refresh();
    const now = settings.ticksAt(nowMs);
    const { untilWholeTick } = settings;
    for (;;) {
      const word = Atomics.load(this.#words, cell);
      const used = this.#used(word, now);
      const untilRoomMs = this.#msUntilRoom(used, cost, nowMs);
      if (isBlock(word) && blockEndMs(word) > nowMs) return -1;
      const delayMs = leaks ? used / settings.ticksPerMs : untilRoomMs;
      if (delayMs > maxDelayMs || (leaks && untilRoomMs > 0)) return -1;
      const usedThen = (used > 0 ? used : untilWholeTick) + Math.ceil(cost * settings.ticksPerUnit);
      if (!this.#swap(cell, word, tickWord(now + BigInt(usedThen)))) continue;
      this.endsMs = this.#endsMs(usedThen, cost, nowMs, lastsMs);
      return delayMs;
    }
  }

  giveBack(cell: number, amount: number): number {
    const ticks = BigInt(Math.floor(amount * this.#settings.ticksPerUnit));
    for (;;) {
      const word = Atomics.load(this.#words, cell);
      if (isBlock(word) || this.#swap(cell, word, tickWord(word - ticks))) return 0;
    }
  }

  peek(cell: number, cost: number, nowMs: number): number {
    return this.#msUntilRoom(this.#usedTicks(cell, nowMs), cost, nowMs);
  }

  block(cell: number, durationMs: number, nowMs: number): void {
    this.#raise(cell, blockWord(nowMs + durationMs), nowMs);
  }

  isFresh(cell: number, nowMs: number): boolean {
    const word = Atomics.load(this.#words, cell);
    if (word === 0n) return true;
    // An old word would be a new one again when the clock comes around.
    return this.#usedTicks(cell, nowMs) === 0 && this.#swap(cell, word, 0n);
  }

  merge(from: number, to: number, nowMs: number): void {
    this.#raise(to, Atomics.load(this.#words, from), nowMs);
  }

  #usedTicks(cell: number, nowMs: number): number {
    this.#settings.refresh();
    return this.#used(Atomics.load(this.#words, cell), this.#settings.ticksAt(nowMs));
  }

  /**
   * As long as the bucket does not run empty, a unit taken early leaves the same behind as one taken late. It does not before
   * what this thread has really spent has drained. While more is used than all threads may have left, it does not matter.
   */
  #endsMs(usedThen: number, spent: number, nowMs: number, lastsMs: number): number {
    const { burst, ticksPerUnit, ticksPerMs } = this.#settings;
    const tickMs = 1 / ticksPerMs;
    const ownMs = Math.max(nowMs, lastsMs + tickMs) + spent * ticksPerUnit * tickMs;
    const allMs = nowMs + (usedThen - burst * mostGivenBack * ticksPerUnit) * tickMs;
    return Math.max(ownMs, allMs) - tickMs;
  }

  /** How long until `cost` fits in, or until nothing is used when it never would. */
  #msUntilRoom(used: number, cost: number, nowMs: number): number {
    const settings = this.#settings;
    const { burst, ticksPerUnit, ticksPerMs } = settings;
    const mostUsed = Math.max(0, Math.floor(burst * ticksPerUnit) - Math.ceil(cost * ticksPerUnit));
    const ticks = used - mostUsed;
    if (ticks <= 0) return 0;
    const isThere = settings.ticksAt(nowMs + ticks / ticksPerMs) - settings.ticksAt(nowMs) >= ticks;
    return (isThere ? ticks : ticks + 1) / ticksPerMs;
  }

  /** Makes the word at least this. */
  #raise(cell: number, least: bigint, nowMs: number): void {
    this.#settings.refresh();
    const now = this.#settings.ticksAt(nowMs);
    for (;;) {
      const word = Atomics.load(this.#words, cell);
      if (this.#used(least, now) <= this.#used(word, now)) return;
      if (this.#swap(cell, word, least)) return;
    }
  }

  /** How many ticks are left until the word's; words come around as the clock does. */
  #used(word: bigint, now: bigint): number {
    if (word === 0n) return 0;
    const tick = isBlock(word) ? this.#tickAfterBlock(word) : word;
    return Math.max(0, Number(BigInt.asIntN(tickBits, tick - now)));
  }

  /** The word that lets 1 pass when the block ends. */
  #tickAfterBlock(word: bigint): bigint {
    const { burst, ticksPerUnit } = this.#settings;
    return this.#settings.ticksAt(blockEndMs(word)) + BigInt(Math.floor((burst - 1) * ticksPerUnit));
  }

  #swap(cell: number, from: bigint, to: bigint): boolean {
    return Atomics.compareExchange(this.#words, cell, from, to) === from;
  }
}

function tickWord(tick: bigint): bigint {
  return BigInt.asUintN(tickBits, tick);
}

function isBlock(word: bigint): boolean {
  return word >= blockBit;
}

/** The word of a block that ends then, to the microsecond. */
function blockWord(endMs: number): bigint {
  return blockBit | BigInt(Math.ceil(endMs * 1000));
}

function blockEndMs(word: bigint): number {
  return Number(word ^ blockBit) / 1000;
}
