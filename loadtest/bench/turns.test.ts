import { expect, it } from 'vitest';
import { takeTurns } from './turns.ts';

it('compares each work with the first in the same round, however fast the machine is in that round', async () => {
  let nowMs = 0;
  let slowness = 1;
  const takes =
    (ms: number, after = 0) =>
    () => {
      nowMs += ms * slowness;
      slowness += after;
    };
  const order = { rounds: 5, sliceMs: 10, now: () => nowMs };
  const times = await takeTurns([takes(20), takes(5), takes(40, 0.01)], order);
  expect(times[0]).toMatchObject({ timesFaster: 1 });
  expect(times[1]!.timesFaster).toBeCloseTo(4);
  expect(times[2]!.timesFaster).toBeCloseTo(0.5);
  expect(times[1]!.passUs).toBeGreaterThan(5_000);
});

it('repeats a short work until its slice is filled, and runs a long one once in a round', async () => {
  let nowMs = 0;
  let [short, long] = [0, 0];
  const works = [() => (nowMs += 1) && short++, () => (nowMs += 50) && long++];
  await takeTurns(works, { rounds: 3, sliceMs: 10, now: () => nowMs });
  expect(short).toBeGreaterThanOrEqual(30);
  expect(long).toBe(4);
});
