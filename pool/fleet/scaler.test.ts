import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { liveDay, sine, turnsOf, type Day, type DayShape } from './scaler-day.fixture.ts';
import { Scaler, type SharedLoad } from './scaler.ts';

const thresholds = { scaleUpThreshold: 0.7, scaleDownThreshold: 0.3, scaleIntervalMs: 1_000 };
const calmIntervals = 12;
const plain: SharedLoad = { connections: 4, slots: 100, demand: 200, fewest: 1, most: 10 };

/** Feeds one load for so many intervals and returns the decisions that were not 0. */
function decisions(scaler: Scaler, load: SharedLoad, intervals: number, fromMs = 0): number[] {
  return Array.from({ length: intervals }, (_, index) =>
    scaler.decide(load, fromMs + (index + 1) * 1_000),
  ).filter((change) => change !== 0);
}

describe('Scaler', () => {
  it('adds as many as bring the share in use to the middle between the thresholds', () => {
    expect(decisions(new Scaler(thresholds, 0), { ...plain, demand: 281 }, 1)).toEqual([2]);
  });

  it('leaves all as it is between the thresholds', () => {
    expect(decisions(new Scaler(thresholds, 0), { ...plain, demand: 280 }, 50)).toEqual([]);
    expect(decisions(new Scaler(thresholds, 0), { ...plain, demand: 120 }, 50)).toEqual([]);
  });

  it('adds at most as many as there are, and never more than the cap', () => {
    const scaler = new Scaler(thresholds, 0);
    expect(decisions(scaler, { ...plain, demand: 5_000 }, 1)).toEqual([4]);
    expect(decisions(scaler, { ...plain, connections: 8, demand: 5_000 }, 1, 1_000)).toEqual([2]);
    expect(decisions(scaler, { ...plain, connections: 10, demand: 5_000 }, 9, 2_000)).toEqual([]);
  });

  it('closes what is not needed after a dozen calm intervals, and keeps the minimum', () => {
    const scaler = new Scaler(thresholds, 0);
    expect(decisions(scaler, { ...plain, demand: 60 }, calmIntervals)).toEqual([]);
    expect(decisions(scaler, { ...plain, demand: 60 }, 1, 12_000)).toEqual([-2]);
    expect(decisions(scaler, { ...plain, demand: 0, fewest: 3 }, 50, 13_000)).toContain(-1);
    expect(decisions(scaler, { ...plain, demand: 0, fewest: 4 }, 50, 63_000)).toEqual([]);
  });

  it('decides once in an interval, by its mean: a moment of load adds nothing', () => {
    const scaler = new Scaler(thresholds, 0);
    const changes = Array.from({ length: 9 }, (_, tenth) => scaler.decide(plain, tenth * 100));
    expect(changes.every((change) => change === 0)).toBe(true);
    expect(scaler.decide({ ...plain, demand: 400 }, 1_000)).toBe(0);
  });

  it('closes nothing for a while after connections were added, whoever added them', () => {
    const scaler = new Scaler(thresholds, 0);
    decisions(scaler, { ...plain, demand: 150 }, 20);
    scaler.onGrowth();
    expect(decisions(scaler, { ...plain, demand: 0 }, calmIntervals, 20_000)).toEqual([]);
    expect(decisions(scaler, { ...plain, demand: 0 }, 1, 32_000)).toEqual([-3]);
  });

  it('never closes when the lower threshold is 0', () => {
    const scaler = new Scaler({ ...thresholds, scaleDownThreshold: 0 }, 0);
    expect(decisions(scaler, { ...plain, demand: 0 }, 100)).toEqual([]);
  });

  it('keeps room for the peak of the calm time, whatever the load does', () => {
    const demands = fc.array(fc.integer({ min: 0, max: 3_000 }), { minLength: 30, maxLength: 200 });
    const levels = fc.record({
      up: fc.double({ min: 0.1, max: 1, noNaN: true }),
      down: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(demands, levels, fc.integer({ min: 1, max: 200 }), (all, { up, down }, slots) => {
        const scaler = new Scaler(
          { scaleUpThreshold: up, scaleDownThreshold: up * down, scaleIntervalMs: 1_000 },
          0,
        );
        const [fewest, most] = [2, 40];
        let connections = 5;
        let lastAdded = -Infinity;
        all.forEach((demand, second) => {
          const change = scaler.decide({ connections, slots, demand, fewest, most }, (second + 1) * 1_000);
          connections += change;
          expect(connections).toBeGreaterThanOrEqual(fewest);
          expect(connections).toBeLessThanOrEqual(most);
          if (change > 0) lastAdded = second;
          if (change >= 0) return;
          expect(second - lastAdded).toBeGreaterThan(calmIntervals);
          const peak = Math.max(...all.slice(Math.max(0, second - calmIntervals + 1), second + 1));
          expect(peak).toBeLessThanOrEqual(up * connections * slots + 1e-9);
        });
      }),
    );
  });
});

const day = { scaleIntervalMs: 5_000, slots: 128, fewest: 2, most: 200 };
/** A load has to change by this much before connections that were added are closed again, or the other way round. */
const factor = 1.35;

/** A number from 0 to 1 that looks like chance and is the same in each run. */
function chance(second: number): number {
  const mixed = Math.imul(Math.floor(second * 2) ^ 0x9e3779b9, 0x85ebca6b);
  return ((mixed ^ (mixed >>> 13)) >>> 0) / 2 ** 32;
}

function noisy(trend: (second: number) => number, share: number): DayShape {
  return { trend, load: (second) => Math.round(trend(second) * (1 + share * (2 * chance(second) - 1))) };
}

const exactly = (load: (second: number) => number): DayShape => ({ load, trend: load });

const shapes: Readonly<Record<string, DayShape>> = {
  'night and day': exactly(sine(50, 12_000)),
  'night and day with noise': noisy(sine(500, 12_000), 0.3),
  'a constant load with noise': noisy(() => 3_000, 0.25),
  'a constant load near the upper threshold': noisy(() => 0.7 * 20 * 128, 0.25),
  'steps of an hour': exactly(
    (second) => [300, 4_000, 900, 9_000, 100, 2_500][Math.floor(second / 3_600) % 6]!,
  ),
  'bursts of ten seconds each quarter of an hour': exactly((second) => (second % 900 >= 890 ? 6_000 : 200)),
  'bursts that come again before it is calm': exactly((second) => (second % 40 < 5 ? 6_000 : 200)),
  'a square wave as fast as the decisions': exactly((second) =>
    Math.floor(second / 5) % 2 === 0 ? 2_000 : 20,
  ),
  'more than there may be, at noon': noisy(sine(50, 40_000), 0.1),
};

function secondsFromAddingToClosing({ added, closed }: Day): number[] {
  return closed.map((at) => at - Math.max(...added.filter((earlier) => earlier <= at), -Infinity));
}

describe('a day of load', () => {
  it.each(Object.entries(shapes))(
    'does not flap and never lacks room for an interval: %s',
    (_name, shape) => {
      const lived = liveDay(shape, day);
      const own = turnsOf(shape, factor);
      expect(lived.turns, `turns, where the load has ${own}`).toBeLessThanOrEqual(own);
      expect(Math.min(...secondsFromAddingToClosing(lived), Infinity)).toBeGreaterThanOrEqual(60);
      expect(lived.longestShortage).toBeLessThanOrEqual(day.scaleIntervalMs / 1_000);
    },
  );

  it('has few connections at night and many at noon', () => {
    const { connections } = liveDay(shapes['night and day']!, day);
    expect(connections[5]).toBe(day.fewest);
    expect(Math.max(...connections)).toBeGreaterThan(12_000 / 128);
    expect(connections.at(-1)).toBeLessThan(10);
  });
});
