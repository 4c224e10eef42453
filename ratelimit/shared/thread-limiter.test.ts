import { describe, expect, it } from 'vitest';
import { limiterOn, memoryOf, takeAll } from './thread-limits.fixture.ts';
import { ThreadLimiter } from './thread-limiter.ts';

const strategies = ['token-bucket', 'leaky-bucket', 'sliding-window'] as const;
const thousand = { ratePerSecond: 1000, burst: 1000 };

describe.each(strategies)('ThreadLimiter with a %s', (strategy) => {
  it('spends one limit with all threads together', () => {
    const memory = memoryOf({ strategy, ...thousand });
    const threads = [limiterOn(memory), limiterOn(memory)];
    let taken = 0;
    for (let turn = 0; turn < 3000; turn++) if (threads[turn % 2]!.take(0, 1, 0) === 0) taken++;
    expect(taken).toBe(1000);
  });

  it('lets a thread have all of it while the others have nothing to do', () => {
    const memory = memoryOf({ strategy, ...thousand });
    const [busy, idle] = [limiterOn(memory), limiterOn(memory)];
    expect(takeAll(idle, 0, 0, 1)).toBe(1);
    const taken = takeAll(busy, 0, 0);
    expect(taken).toBeGreaterThan(980);
    expect(taken).toBeLessThan(1000);
  });

  it('gives back what it does not spend, for others to have', () => {
    const memory = memoryOf({ strategy, ...thousand });
    const [idle, busy] = [limiterOn(memory), limiterOn(memory)];
    const taken = takeAll(idle, 0, 0, 100) + takeAll(busy, 0, 0);
    expect(taken).toBeLessThan(1000);
    idle.sweep(4);
    expect(takeAll(busy, 0, 0)).toBe(0);
    idle.sweep(5);
    expect(taken + takeAll(busy, 0, 1)).toBeGreaterThanOrEqual(1000);
  });

  it('leases one by one when there is little to do', () => {
    const memory = memoryOf({ strategy, ...thousand });
    const [slow, other] = [limiterOn(memory), limiterOn(memory)];
    for (let nowMs = 1000; nowMs < 2000; nowMs += 20) slow.take(0, 1, nowMs);
    slow.take(0, 1, 4000);
    expect(takeAll(other, 0, 4000) + takeAll(slow, 0, 4000)).toBe(999);
    expect(takeAll(slow, 0, 4000)).toBe(0);
  });

  it('tells a thread that was refused within a millisecond when another has given back', () => {
    const memory = memoryOf({ strategy, ratePerSecond: 1, burst: 1 });
    const [one, other] = [limiterOn(memory), limiterOn(memory)];
    expect(one.take(0, 1, 10)).toBe(0);
    expect(other.take(0, 1, 10)).toBeGreaterThan(900);
    one.refund(0, 1);
    expect(other.take(0, 1, 11)).toBe(0);
  });

  it('says how long a larger cost has to wait, also after a smaller one has passed', () => {
    const limiter = limiterOn(memoryOf({ strategy, ratePerSecond: 40, burst: 40 }));
    limiter.take(0, 20, 0);
    const waitMs = limiter.take(0, 30, 0);
    limiter.take(0, 20, 0);
    expect(limiter.take(0, 30, 0)).toBeGreaterThan(waitMs);
  });

  it('blocks a key in all threads', () => {
    const memory = memoryOf({ strategy });
    const [one, other] = [limiterOn(memory), limiterOn(memory)];
    one.block(0, 5000, 100);
    expect(other.take(0, 1, 100)).toBe(5000);
    expect(other.take(0, 1, 5100)).toBe(0);
  });

  it('has a key find what it used in another slot of another thread', () => {
    const memory = memoryOf({ strategy, cells: 100 });
    const [one, other] = [limiterOn(memory), limiterOn(memory)];
    one.reset(2, 'a key');
    expect(takeAll(one, 2, 0)).toBe(10);
    other.reset(1, 'a key');
    other.reset(0, 'another key');
    expect([takeAll(other, 1, 0), takeAll(other, 0, 0)]).toEqual([0, 10]);
  });

  it('puts other settings in force for all threads at once', () => {
    const memory = memoryOf({ strategy });
    const [one, other] = [limiterOn(memory), limiterOn(memory)];
    expect(takeAll(one, 0, 0)).toBe(10);
    one.configure({ ratePerSecond: 30, burst: 30, windowMs: 1000 }, 0);
    expect(takeAll(other, 0, 0)).toBe(20);
    other.configure({ ratePerSecond: 30, burst: 30, windowMs: 1000 }, 0);
    expect(takeAll(one, 0, 0)).toBe(0);
    const late = limiterOn(memory);
    expect(takeAll(late, 0, 5000)).toBe(30);
  });

  it('gives back everything when it is closed', () => {
    const memory = memoryOf({ strategy, ...thousand });
    const [one, other] = [limiterOn(memory), limiterOn(memory)];
    expect(takeAll(one, 0, 0, 100)).toBe(100);
    one.close();
    expect(takeAll(other, 0, 0)).toBe(900);
  });

  it('has threads whose clocks began at different times agree', () => {
    const memory = memoryOf({ strategy });
    const early = new ThreadLimiter(memory, { slots: 1, now: () => 0, clockOffsetMs: 1000 });
    const late = new ThreadLimiter(memory, { slots: 1, now: () => 0, clockOffsetMs: -500 });
    expect(takeAll(early, 0, 0)).toBe(10);
    const waitMs = early.take(0, 1, 0);
    expect(late.take(0, 1, 1500)).toBe(waitMs);
    expect(late.take(0, 1, 1500 + waitMs)).toBe(0);
  });
});

it('counts what a thread has left for no longer than a bucket without it would be in use', () => {
  const memory = memoryOf({ ratePerSecond: 50, burst: 128 });
  const [one, other] = [limiterOn(memory), limiterOn(memory)];
  for (const nowMs of [0, 39.9]) one.take(0, 1, nowMs);
  expect(takeAll(other, 0, 40) + takeAll(one, 0, 40)).toBe(127);
});

it('counts what a thread was refunded for no longer than a bucket without it would be in use', () => {
  const limiter = limiterOn(memoryOf({ ratePerSecond: 50, burst: 128 }));
  limiter.take(0, 1, 0);
  limiter.refund(0, 1);
  limiter.take(0, 1, 1);
  expect(takeAll(limiter, 0, 20)).toBe(127);
});

it('delays as one token bucket: what there is passes at once, then one in every interval', () => {
  const memory = memoryOf({ burst: 3 });
  const threads = [limiterOn(memory), limiterOn(memory)];
  const delays = Array.from({ length: 7 }, (_, i) => threads[i % 2]!.takeDelayed(0, 1, 1000, 350));
  expect(delays).toEqual([0, 0, 0, 100, 200, 300, -1]);
  threads[0]!.refund(0, 1);
  expect(threads[1]!.takeDelayed(0, 1, 1000, 350)).toBe(300);
});

it('delays as one leaky bucket: each passes when those before it have drained', () => {
  const memory = memoryOf({ strategy: 'leaky-bucket', burst: 3 });
  const threads = [limiterOn(memory), limiterOn(memory)];
  const delays = Array.from({ length: 4 }, (_, i) => threads[i % 2]!.takeDelayed(0, 1, 1000, 5000));
  expect(delays).toEqual([0, 100, 200, -1]);
});

it('delays nothing until the end of a block', () => {
  const limiter = limiterOn(memoryOf());
  limiter.block(0, 1000, 0);
  expect(limiter.takeDelayed(0, 1, 500, 5000)).toBe(-1);
});

it('does not count the rest of a tick twice, be it as long as an interval', () => {
  const ratePerSecond = 2 ** 26;
  const limiter = limiterOn(memoryOf({ ratePerSecond, burst: 1 }));
  const tickMs = 1000 / ratePerSecond;
  expect(limiter.take(0, 1, 1.5 * tickMs)).toBe(0);
  expect(limiter.peek(0, 1, 2.1 * tickMs)).toBeGreaterThan(0);
  expect(limiter.peek(0, 1, 3.1 * tickMs)).toBe(0);
});

it('measures the clock of its thread unless it is told', () => {
  const memory = memoryOf({ ratePerSecond: 0.001, burst: 1 });
  const nowMs = performance.now();
  const measured = new ThreadLimiter(memory, { slots: 1 });
  expect(measured.take(0, 1, nowMs)).toBe(0);
  expect(new ThreadLimiter(memory, { slots: 1 }).take(0, 1, nowMs)).toBeGreaterThan(999_000);
});
