import { expect, it } from 'vitest';
import { clockOffsetMs } from './thread-clock.ts';

/** Clocks of which this one is `aheadMs` ahead of the thread's, and both tick with each reading. */
function clocks(aheadMs: number, readingsMs: readonly number[]) {
  let nowMs = 5000;
  let reading = 0;
  const pass = (): number => (nowMs += readingsMs[reading++ % readingsMs.length]!);
  return { now: pass, commonNs: () => BigInt(Math.round((pass() + aheadMs) * 1e6)) };
}

it('says how far a thread is behind the clock that all share', () => {
  const offsetMs = clockOffsetMs(3_000_000n, clocks(250, [0.0001]));
  expect(offsetMs).toBeCloseTo(247, 3);
});

it('never puts a thread ahead, however long the readings take', () => {
  for (const readingsMs of [[2], [0.5, 3, 0.001], [7, 1]]) {
    const offsetMs = clockOffsetMs(0n, clocks(100, readingsMs));
    expect(offsetMs).toBeLessThan(100);
    expect(offsetMs).toBeGreaterThanOrEqual(100 - Math.max(...readingsMs));
  }
});
