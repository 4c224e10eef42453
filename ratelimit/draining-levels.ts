import { bucketScale } from './bucket-scale.ts';
import type { BucketScale } from './bucket-scale.ts';
import type { LimiterSettings } from './limiter.ts';

/**
 * How full each of many buckets is that all drain at one rate and hold one burst: what both bucket strategies are made of.
 * What may pass is exact for a clock of whole ticks (1 ns; coarser for bursts over a million). Between two ticks a level reads as
 * at the earlier one, so that a bucket is never less full than it truly is, and at most three ticks behind.
 */
export class DrainingLevels {
  /** For each slot its level in grains, and the tick from which on that drains. */
  readonly #cells: Float64Array;
  // Fields of the scale, since a look-up through it costs the hot path a load each.
  #ticksPerMs = 0;
  #grainsPerUnit = 0;
  #grainsPerTick = 0;
  #burstGrains = 0;

  constructor(settings: LimiterSettings, slots: number) {
    this.#cells = new Float64Array(slots * 2);
    this.#measureBy(bucketScale(settings));
  }

  /** Adds `cost` and returns true if there is room for it, or if the bucket is empty. */
  fill(slot: number, cost: number, nowMs: number): boolean {
    return this.#fillUpTo(this.#burstGrains, slot, cost, nowMs);
  }

  /** Adds `cost`, room or not. */
  overfill(slot: number, cost: number, nowMs: number): void {
    this.#fillUpTo(Infinity, slot, cost, nowMs);
  }

  /** Takes back what was added last. */
  remove(slot: number, cost: number): void {
    const at = slot * 2;
    this.#cells[at] = Math.max(0, this.#cells[at]! - cost * this.#grainsPerUnit);
  }

  /** Milliseconds until `fill` would add `cost`. */
  msUntilRoom(slot: number, cost: number, nowMs: number): number {
    const roomGrains = Math.max(0, this.#burstGrains - cost * this.#grainsPerUnit);
    return this.#msUntil(roomGrains, slot, nowMs);
  }

  /** Milliseconds until the bucket is empty. */
  msUntilEmpty(slot: number, nowMs: number): number {
    return this.#msUntil(0, slot, nowMs);
  }

  isEmpty(slot: number, nowMs: number): boolean {
    return this.#levelAt(slot, this.#tickOf(nowMs)) === 0;
  }

  /** No room for 1 until `durationMs` have passed, then for just that. */
  block(slot: number, durationMs: number, nowMs: number): void {
    const endTick = this.#tickOf(nowMs + durationMs);
    if (this.#tickWhen(this.#burstGrains - this.#grainsPerUnit, slot) < endTick)
      this.#blockUntil(endTick, slot);
  }

  empty(slot: number): void {
    this.#cells[slot * 2] = 0;
    this.#cells[slot * 2 + 1] = 0;
  }

  /** Makes `to` at least as full as each of the two is, from now on. */
  merge(from: number, to: number, nowMs: number): void {
    const cells = this.#cells;
    const tick = this.#tickOf(nowMs);
    const level = Math.max(this.#levelAt(from, tick), this.#levelAt(to, tick));
    cells[to * 2] = level;
    cells[to * 2 + 1] = Math.max(cells[from * 2 + 1]!, cells[to * 2 + 1]!, this.#tickAfter(nowMs));
  }

  /** Another rate and burst from now on. The levels stay, and what is blocked stays so until the same time. */
  configure(settings: LimiterSettings, nowMs: number): void {
    const scale = bucketScale(settings);
    const finerGrains = scale.grainsPerUnit / this.#grainsPerUnit;
    const finerTicks = scale.ticksPerMs / this.#ticksPerMs;
    const cells = this.#cells;
    for (let slot = 0; slot * 2 < cells.length; slot++)
      if (cells[slot * 2] !== 0) this.#bringUpToDate(slot, nowMs);
    this.#measureBy(scale);
    for (let at = 0; at < cells.length; at += 2) {
      const tick = Math.ceil(cells[at + 1]! * finerTicks);
      if (cells[at] === Infinity) {
        this.#blockUntil(tick, at / 2);
        continue;
      }
      cells[at] = Math.ceil(cells[at]! * finerGrains);
      cells[at + 1] = tick;
    }
  }

  /** What has drained by now did so at the rate there was; of a block there is left when it ends. */
  #bringUpToDate(slot: number, nowMs: number): void {
    const cells = this.#cells;
    const at = slot * 2;
    const now = this.#tickAfter(nowMs);
    // A tick of grace, since it may have been rounded up from that of a finer scale.
    const isBlocked = cells[at + 1]! > now + Math.max(1, this.#ticksPerMs);
    if (isBlocked) cells[at + 1] = this.#tickWhen(this.#burstGrains - this.#grainsPerUnit, slot);
    cells[at] = isBlocked ? Infinity : this.#levelAt(slot, this.#tickOf(nowMs));
    if (!isBlocked) cells[at + 1] = now;
  }

  #fillUpTo(mostGrains: number, slot: number, cost: number, nowMs: number): boolean {
    const cells = this.#cells;
    const at = slot * 2;
    const ticks = nowMs * this.#ticksPerMs;
    const grainsPerTick = this.#grainsPerTick;
    let level = cells[at]!;
    let since = cells[at + 1]!;
    const elapsed = Math.floor(ticks) - since;
    if (elapsed >= 0) {
      since += elapsed;
      level -= elapsed * grainsPerTick;
      // It may be empty before this tick ends: the rest of the tick then must not drain what comes now.
      if (level < grainsPerTick) {
        if (level < 0) level = 0;
        since = Math.ceil(ticks);
      }
    }
    const filled = level + cost * this.#grainsPerUnit;
    if (filled > mostGrains && level > 0) return false;
    cells[at] = filled;
    cells[at + 1] = since;
    return true;
  }

  #blockUntil(endTick: number, slot: number): void {
    // The level stands above the burst until it has to sink to be in time; a debt for all of a long block would be no exact number.
    const sinkingTicks = Math.floor(this.#grainsPerUnit / this.#grainsPerTick) + 1;
    const sinkingGrains = sinkingTicks * this.#grainsPerTick;
    this.#cells[slot * 2] = this.#burstGrains - this.#grainsPerUnit + sinkingGrains;
    this.#cells[slot * 2 + 1] = endTick - sinkingTicks;
  }

  #levelAt(slot: number, tick: number): number {
    const level = this.#cells[slot * 2]!;
    const elapsed = tick - this.#cells[slot * 2 + 1]!;
    return elapsed > 0 ? Math.max(0, level - elapsed * this.#grainsPerTick) : level;
  }

  /** Counted from the tick that `nowMs` is in, so that no rounding makes the wait too short. */
  #msUntil(levelGrains: number, slot: number, nowMs: number): number {
    return Math.max(0, this.#tickWhen(levelGrains, slot) - this.#tickOf(nowMs)) / this.#ticksPerMs;
  }

  /** The tick at which the slot has drained down to this level; it may be in the past. */
  #tickWhen(levelGrains: number, slot: number): number {
    const surplus = this.#cells[slot * 2]! - levelGrains;
    return surplus > 0 ? this.#cells[slot * 2 + 1]! + Math.ceil(surplus / this.#grainsPerTick) : 0;
  }

  #tickOf(nowMs: number): number {
    return Math.floor(nowMs * this.#ticksPerMs);
  }

  #tickAfter(nowMs: number): number {
    return Math.ceil(nowMs * this.#ticksPerMs);
  }

  #measureBy({ ticksPerMs, grainsPerUnit, grainsPerTick, burstGrains }: BucketScale): void {
    this.#ticksPerMs = ticksPerMs;
    this.#grainsPerUnit = grainsPerUnit;
    this.#grainsPerTick = grainsPerTick;
    this.#burstGrains = burstGrains;
  }
}
