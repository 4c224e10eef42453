import type { LimiterSettings } from '../limiter.ts';
import { settingsKept, type ThreadLayout } from './thread-memory.ts';

const valuesEach = 8;
/** Places among the values of one version. */
const rate = 0;
const burst = 1;
const windowMs = 2;
const sinceMs = 3;
const sinceTicks = 4;

/**
 * The settings of a shared limit and its clock, which buckets measure in: it ticks `ticksPerUnit` times while one unit
 * drains. Only its pace changes with the rate, so that what is written in ticks means the same before and after.
 */
export class ThreadSettings implements LimiterSettings {
  ratePerSecond = 0;
  burst = 0;
  windowMs = 0;
  /** Of the settings in force; changes with them. */
  number = -1;
  /** The pace of the clock. */
  ticksPerMs = 0;
  readonly ticksPerUnit: number;
  /** How many ticks, 0 or 1, until the one that comes at or after the time that `ticksAt` was last asked for. */
  untilWholeTick = 0;
  readonly #layout: ThreadLayout;
  #sinceMs = 0;
  #sinceTicks = 0n;

  constructor(layout: ThreadLayout) {
    this.#layout = layout;
    this.ticksPerUnit = layout.ticksPerUnit;
    this.refresh();
  }

  /** Reads the settings in force; costs next to nothing while they are the same. */
  refresh(): void {
    const { settingsNumbers, settings, settingsTicks } = this.#layout;
    let number = Atomics.load(settingsNumbers, 0);
    while (number !== this.number) {
      const at = (number % settingsKept) * valuesEach;
      this.ratePerSecond = settings[at + rate]!;
      this.burst = settings[at + burst]!;
      this.windowMs = settings[at + windowMs]!;
      this.#sinceMs = settings[at + sinceMs]!;
      this.#sinceTicks = settingsTicks[at + sinceTicks]!;
      this.ticksPerMs = (this.ratePerSecond * this.ticksPerUnit) / 1000;
      this.number = number;
      number = Atomics.load(settingsNumbers, 0);
    }
  }

  /** The shared clock at a time, rounded down. */
  ticksAt(nowMs: number): bigint {
    const elapsed = (nowMs - this.#sinceMs) * this.ticksPerMs;
    const ticks = Math.floor(elapsed);
    this.untilWholeTick = ticks === elapsed ? 0 : 1;
    return this.#sinceTicks + BigInt(ticks);
  }

  /** Puts these settings in force from `nowMs` on, in all threads; does nothing when they are in force. */
  publish(next: LimiterSettings, nowMs: number): void {
    const { settingsNumbers, settings, settingsTicks } = this.#layout;
    for (;;) {
      this.refresh();
      if (this.#isAs(next)) return;
      const before = this.number;
      // A number is used by one thread only: if that dies, or another is first, nobody ever reads what it wrote.
      const number = Atomics.add(settingsNumbers, 1, 1);
      const at = (number % settingsKept) * valuesEach;
      settings[at + rate] = next.ratePerSecond;
      settings[at + burst] = next.burst;
      settings[at + windowMs] = next.windowMs;
      settings[at + sinceMs] = nowMs;
      settingsTicks[at + sinceTicks] = this.ticksAt(nowMs);
      Atomics.compareExchange(settingsNumbers, 0, before, number);
    }
  }

  #isAs(other: LimiterSettings): boolean {
    return (
      this.ratePerSecond === other.ratePerSecond &&
      this.burst === other.burst &&
      this.windowMs === other.windowMs
    );
  }
}
