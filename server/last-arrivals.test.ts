import { describe, expect, it } from 'vitest';
import { closePort, lastArrivals } from './last-arrivals.ts';

/** A clock that shows these times one after the other, and goes on in steps of the last. */
function clock(...times: number[]): () => number {
  const step = times.at(-1)! - times.at(-2)!;
  return () => (times.length > 1 ? times.shift()! : (times[0]! += step) - step);
}

/** How many turns it takes until the port is closed. */
async function turnsUntilClosed(now: () => number): Promise<number> {
  let turns = 0;
  let closed = false;
  const counted = (): number => {
    turns++;
    return now();
  };
  await closePort({ stopListening: () => (closed = true) }, counted);
  expect(closed).toBe(true);
  // One reading is from before the first turn.
  return turns - 1;
}

describe('the port', () => {
  it('is closed after the second turn at the earliest: the first one was under way', async () => {
    expect(await turnsUntilClosed(clock(0, 0.01, 0.02, 0.03))).toBe(2);
  });

  it('waits for a turn that is short', async () => {
    expect(await turnsUntilClosed(clock(0, 1, 2, 3, 4, 4.04, 4.08))).toBe(5);
  });

  it('takes longer ones for short where there is no other', async () => {
    const turns = await turnsUntilClosed(clock(0, 1, 2));
    expect(turns).toBeGreaterThan(20);
    expect(turns).toBeLessThan(60);
  });

  it('is not closed after a turn that was long beside the others', async () => {
    expect(await turnsUntilClosed(clock(0, 60, 120, 180, 900, 930))).toBe(5);
  });

  it('is closed after two seconds, however the turns are', async () => {
    expect(await turnsUntilClosed(clock(0, 60, 120, 2_100, 4_100))).toBe(3);
  });
});

describe('the last arrivals', () => {
  it('are waited for until the last one has come or gone', async () => {
    const listener = { visitors: 2 };
    let over = false;
    const waiting = lastArrivals(listener, 10_000, () => performance.now()).then(() => (over = true));
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(over).toBe(false);
    listener.visitors = 0;
    await waiting;
  });

  it('are not waited for longer than that', async () => {
    await lastArrivals({ visitors: 1 }, 40, () => performance.now());
    await lastArrivals({ visitors: 1 }, 0, () => performance.now());
  });
});
