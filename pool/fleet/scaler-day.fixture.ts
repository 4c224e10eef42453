import { Scaler } from './scaler.ts';

/** What the load is at each second of a day: with all its noise, and without. */
export interface DayShape {
  readonly load: (second: number) => number;
  readonly trend: (second: number) => number;
}

export interface Day {
  /** Seconds at which connections were added, and closed. */
  readonly added: readonly number[];
  readonly closed: readonly number[];
  /** How often it went from adding to closing or back. */
  readonly turns: number;
  /** The longest time in seconds during which there was more to do than room for it, though more connections were allowed. */
  readonly longestShortage: number;
  /** Connections at the end of each minute. */
  readonly connections: readonly number[];
}

export interface DayOptions {
  readonly scaleIntervalMs: number;
  readonly slots: number;
  readonly fewest: number;
  readonly most: number;
}

export const secondsOfDay = 86_400;
const tickSeconds = 0.5;
const scaleUpThreshold = 0.7;
const scaleDownThreshold = 0.3;

/** Lives through a day: a dial takes a tick, and what waits makes the pool grow at once, as pools do. */
export function liveDay({ load }: DayShape, { scaleIntervalMs, slots, fewest, most }: DayOptions): Day {
  const scaler = new Scaler({ scaleUpThreshold, scaleDownThreshold, scaleIntervalMs }, 0);
  const added: number[] = [];
  const closed: number[] = [];
  const connections: number[] = [];
  let open = fewest;
  let dialing = 0;
  let turns = 0;
  let direction = 0;
  let shortSince = Infinity;
  let longestShortage = 0;
  const change = (by: number, at: number): void => {
    if (by === 0) return;
    (by > 0 ? added : closed).push(at);
    if (direction !== 0 && Math.sign(by) !== direction) turns++;
    direction = Math.sign(by);
    if (by > 0) dialing += by;
    else open += by;
  };
  for (let second = 0; second < secondsOfDay; second += tickSeconds) {
    open += dialing;
    dialing = 0;
    const demand = load(second);
    const lacking = Math.ceil(Math.max(0, demand - open * slots) / slots);
    const urgent = Math.min(lacking, most - open);
    if (urgent > 0) scaler.onGrowth();
    change(urgent, second);
    shortSince = lacking > 0 && open < most ? Math.min(shortSince, second) : Infinity;
    longestShortage = Math.max(longestShortage, second - shortSince);
    change(
      scaler.decide({ connections: open + dialing, slots, demand, fewest, most }, second * 1_000),
      second,
    );
    if (second % 60 === 0) connections.push(open);
  }
  return { added, closed, turns, longestShortage, connections };
}

/** How often the load itself turns: from a height to `factor` times less, or from a low to so many times more. */
export function turnsOf({ trend }: DayShape, factor: number): number {
  let high = trend(0);
  let low = high;
  let direction = 0;
  let turns = 0;
  for (let second = 0; second < secondsOfDay; second++) {
    const now = trend(second);
    high = Math.max(high, now);
    low = Math.min(low, now);
    const next = now > low * factor && direction <= 0 ? 1 : now < high / factor && direction >= 0 ? -1 : 0;
    if (next === 0) continue;
    if (direction !== 0) turns++;
    direction = next;
    high = low = now;
  }
  return turns;
}

/** Night and day, from `low` to `high`. */
export function sine(low: number, high: number): (second: number) => number {
  return (second) => low + ((high - low) * (1 - Math.cos((2 * Math.PI * second) / secondsOfDay))) / 2;
}
