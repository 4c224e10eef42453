import { setImmediate } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { Hammer, hammer, type HammerOrder, type HammerResult } from './thread-hammer.fixture.ts';
import { memoryOf } from './thread-limits.fixture.ts';
import { releaseHeld } from './thread-cells.ts';

const busy = { keys: 0, takesPerTurn: 64, pauseMs: 0, durationMs: 500 } satisfies Partial<HammerOrder>;
const slow = { ...busy, takesPerTurn: 3, pauseMs: 7 };

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** From the first start to the last end, by the clock that all threads share. */
function elapsedSeconds(results: readonly HammerResult[]): number {
  const starts = results.map(({ startedNs }) => Number(startedNs / 1000n));
  const ends = results.map(({ endedNs }) => Number(endedNs / 1000n) + 1);
  return (Math.max(...ends) - Math.min(...starts)) / 1e6;
}

/** How long at least one thread had a processor. */
function hammeredSeconds(results: readonly HammerResult[]): number {
  return (busy.durationMs - Math.min(...results.map(({ awayMs }) => awayMs))) / 1000;
}

type Load = Omit<HammerOrder, 'memory'>;
const loads: [name: string, one: Load, other: Load][] = [
  ['both busy', busy, busy],
  ['one busy, one slow', busy, slow],
];

it.each(
  loads.flatMap(([load, one, other]) =>
    (['token-bucket', 'sliding-window'] as const).flatMap((strategy) =>
      [500, 20_000, 2_000_000].map((ratePerSecond) => ({ load, one, other, strategy, ratePerSecond })),
    ),
  ),
)(
  'admits no more than one limit and at least 95 % of it with two threads: $strategy, $ratePerSecond/s, $load',
  async ({ one, other, strategy, ratePerSecond }) => {
    const burst = ratePerSecond / 4;
    const windowMs = 250;
    const memory = memoryOf({ strategy, ratePerSecond, burst, windowMs });
    const results = await hammer({ ...one, memory }, { ...other, memory });
    const admitted = sum(results.flatMap((result) => result.admitted));
    const most = burst + ratePerSecond * elapsedSeconds(results);
    // Two counters let one more pass than the window holds.
    expect(admitted).toBeLessThanOrEqual(strategy === 'sliding-window' ? most + 1 : most);
    // A window that has passed is over, while a bucket starts with its burst.
    const least = (strategy === 'sliding-window' ? 0 : burst) + ratePerSecond * hammeredSeconds(results);
    expect(admitted).toBeGreaterThanOrEqual(0.95 * least);
  },
);

it('keeps each of 10,000 keys under its limit with two threads', async () => {
  const memory = memoryOf({ cells: 10_000, ratePerSecond: 5, burst: 8 });
  const order = { ...busy, memory, keys: 10_000, durationMs: 1000 };
  const results = await hammer(order, order);
  const most = Math.floor(8 + 5 * elapsedSeconds(results));
  const perKey = results[0]!.admitted.map((count, key) => count + results[1]!.admitted[key]!);
  expect(Math.max(...perKey)).toBeLessThanOrEqual(most);
  // Few keys share a cell.
  expect(perKey.filter((count) => count >= 8).length).toBeGreaterThan(9900);
});

it('goes on as before when a thread is killed in the middle', async () => {
  const ratePerSecond = 200_000;
  const burst = ratePerSecond / 4;
  const memory = memoryOf({ ratePerSecond, burst, cells: 100 });
  for (let round = 0; round < 2; round++) {
    const victim = new Hammer({ ...busy, memory, durationMs: 60_000 });
    const held = await victim.ready;
    victim.start();
    while (victim.turns < 1000) await setImmediate();
    await victim.kill();
    releaseHeld(memory, held);
    const results = await hammer({ ...busy, memory });
    const admitted = sum(results[0]!.admitted);
    expect(admitted).toBeLessThanOrEqual(burst + ratePerSecond * elapsedSeconds(results));
    expect(admitted).toBeGreaterThanOrEqual(0.95 * ratePerSecond * hammeredSeconds(results));
  }
});
