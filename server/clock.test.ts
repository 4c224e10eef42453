import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { TurnClock } from './clock.ts';

afterEach(() => void vi.restoreAllMocks());

describe('TurnClock', () => {
  it('reads the clock once per turn of the event loop, however often it is asked', async () => {
    let readMs = 0;
    const read = vi.spyOn(performance, 'now').mockImplementation(() => ++readMs);
    const { now } = new TurnClock();
    expect([now(), now(), now()]).toEqual([1, 1, 1]);
    await Promise.resolve();
    expect(now()).toBe(1);
    await nextTurn();
    expect([now(), now()]).toEqual([2, 2]);
    expect(read).toHaveBeenCalledTimes(2);
  });

  it('reads it when it is asked, not when the turn begins', async () => {
    let readMs = 10;
    vi.spyOn(performance, 'now').mockImplementation(() => readMs);
    const { now } = new TurnClock();
    now();
    await nextTurn();
    readMs = 500;
    expect(now()).toBe(500);
  });

  it('never goes back', async () => {
    const { now } = new TurnClock();
    let before = -Infinity;
    for (let i = 0; i < 50; i++) {
      expect(now()).toBeGreaterThanOrEqual(before);
      before = now();
      await nextTurn();
    }
  });

  it('leaves nothing scheduled once it is not asked any more', async () => {
    const { now } = new TurnClock();
    now();
    await nextTurn();
    expect(process.getActiveResourcesInfo()).not.toContain('Immediate');
  });
});
