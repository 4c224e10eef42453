import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Limiter, LimiterSettings } from './limiter.ts';

type CreateLimiter = (settings: LimiterSettings, slots: number) => Limiter;

/** Ten per second, at once or spread. */
const ten: LimiterSettings = { ratePerSecond: 10, burst: 10, windowMs: 1000 };
const longAfterMs = 1e6;
/** Multiples of 1/4 of a millisecond: exact in every strategy, and not all whole. */
const durationMs = fc.nat(8000).map((quarters) => quarters / 4);
const settings = fc.record({
  ratePerSecond: fc.oneof(fc.integer({ min: 1, max: 2000 }), fc.constantFrom(0.1, 0.5, 1 / 60, 2.5)),
  burst: fc.integer({ min: 1, max: 50 }),
  windowMs: fc.constantFrom(250, 1000, 60_000),
});
const step = fc.record({
  afterMs: fc.oneof(fc.constant(0), fc.nat(40), durationMs),
  cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 60 })),
});
const history = fc.array(step, { maxLength: 60 });
type History = readonly { afterMs: number; cost: number }[];

/** What every limiter promises; each implementation's test calls this. */
export function describeLimiter(name: string, create: CreateLimiter): void {
  describe(`${name} keeps the contract of a limiter`, () => {
    it('lets a burst pass at once, and then says how long to wait', () => {
      const limiter = create(ten, 1);
      expect(takeAll(limiter, 0, 5000)).toBe(10);
      const waitMs = limiter.take(0, 1, 5000);
      expect(waitMs).toBeGreaterThan(0);
      expect(limiter.peek(0, 1, 5000)).toBe(waitMs);
      expect(limiter.take(0, 1, 5000 + waitMs)).toBe(0);
    });

    it('has room for all of it again after a while', () => {
      const limiter = create(ten, 1);
      for (const nowMs of [0, 2000, 4000, 1e10]) expect(takeAll(limiter, 0, nowMs)).toBe(10);
    });

    it.each([
      [1, 0.37],
      [10, 0.37],
      [10, 99],
      [1000, 0.013],
    ])('lets %d per second pass in the long run, asked every %d ms', (ratePerSecond, everyMs) => {
      const limiter = create({ ratePerSecond, burst: 1, windowMs: 1000 }, 1);
      const seconds = 3000 / ratePerSecond ** 0.5;
      let taken = 0;
      for (let nowMs = 7; nowMs < 7 + seconds * 1000; nowMs += everyMs) {
        if (limiter.take(0, 1, nowMs) === 0) taken++;
      }
      const mostPerSecond = Math.min(ratePerSecond, 1000 / everyMs);
      // A bucket of 1 loses what is not asked for in time.
      const least = mostPerSecond * seconds * (1 - (ratePerSecond * everyMs) / 1000);
      expect(taken).toBeLessThanOrEqual(mostPerSecond * seconds + mostPerSecond + 1);
      expect(taken).toBeGreaterThanOrEqual(Math.min(least, mostPerSecond * seconds) - 1);
    });

    it('tells the wait to the millisecond', () => {
      fc.assert(
        fc.property(
          settings,
          history,
          fc.integer({ min: 1, max: 60 }),
          durationMs,
          (of, past, cost, agoMs) => {
            const limiter = create(of, 1);
            const nowMs = replay(limiter, 0, past) + agoMs;
            const waitMs = limiter.peek(0, cost, nowMs);
            fc.pre(waitMs > 0);
            expect(limiter.peek(0, cost, nowMs + waitMs - 1)).toBe(1);
            expect(limiter.take(0, cost, nowMs + waitMs)).toBe(0);
          },
        ),
      );
    });

    it('keeps its word about the wait on any clock', () => {
      const time = fc.double({ min: 1, max: 1e10, noNaN: true });
      const gap = fc.double({ min: 0, max: 3000, noNaN: true });
      const rate = fc.double({ min: 0.01, max: 1e9, noNaN: true });
      fc.assert(
        fc.property(time, rate, fc.array(gap, { maxLength: 20 }), (startMs, ratePerSecond, gaps) => {
          const limiter = create({ ratePerSecond, burst: Math.max(1, ratePerSecond), windowMs: 1000 }, 1);
          const cost = Math.ceil(ratePerSecond / 7);
          let nowMs = startMs;
          for (const gapMs of gaps) {
            nowMs += gapMs;
            for (let waitMs = 0; waitMs === 0;) waitMs = limiter.take(0, cost, nowMs);
            const waitMs = limiter.peek(0, cost, nowMs);
            expect(Number.isInteger(waitMs)).toBe(true);
            if (waitMs > 2) expect(limiter.peek(0, cost, nowMs + waitMs - 2)).toBeGreaterThan(0);
            nowMs += waitMs;
            expect(limiter.peek(0, cost, nowMs)).toBe(0);
          }
        }),
      );
    });

    it('takes nothing when it refuses or is only asked', () => {
      fc.assert(
        fc.property(settings, history, history, (of, past, asked) => {
          const limiter = create(of, 2);
          const nowMs = replay(limiter, 0, past);
          replay(limiter, 1, past);
          let laterMs = nowMs;
          for (const { afterMs, cost } of asked) {
            laterMs += afterMs;
            if (limiter.peek(1, cost, laterMs) > 0) limiter.take(1, cost, laterMs);
          }
          expectSame(limiter, 0, 1, laterMs);
        }),
      );
    });

    it('gives back exactly what was taken', () => {
      fc.assert(
        fc.property(settings, history, history, (of, past, taken) => {
          const limiter = create(of, 2);
          let nowMs = Math.max(replay(limiter, 0, past), replay(limiter, 1, past));
          for (const { afterMs, cost } of taken) {
            nowMs += afterMs;
            if (limiter.take(1, cost, nowMs) === 0) limiter.refund(1, cost);
          }
          expectSame(limiter, 0, 1, nowMs);
        }),
      );
    });

    it('refuses everything while blocked, and lets something pass when the block ends', () => {
      const longMs = fc.oneof(durationMs, fc.integer({ min: 1, max: 1e8 }));
      fc.assert(
        fc.property(
          settings,
          history,
          longMs,
          fc.double({ min: 0, max: 0.999 }),
          (of, past, blockMs, part) => {
            const limiter = create(of, 1);
            const nowMs = replay(limiter, 0, past);
            const waitMs = limiter.peek(0, 1, nowMs);
            limiter.block(0, blockMs, nowMs);
            const endMs = nowMs + Math.max(waitMs, blockMs);
            const meanwhileMs = nowMs + Math.floor(blockMs * part);
            if (meanwhileMs < nowMs + blockMs) expect(limiter.take(0, 1, meanwhileMs)).toBeGreaterThan(0);
            expect(limiter.take(0, 1, endMs)).toBe(0);
          },
        ),
      );
    });

    it('says of a block when it ends, at rates low and high', () => {
      for (const ratePerSecond of [0.1, 10, 1e9]) {
        const limiter = create({ ratePerSecond, burst: Math.max(1, ratePerSecond), windowMs: 1000 }, 1);
        limiter.block(0, 60_000, 4000);
        expect(limiter.take(0, 1, 4000)).toBe(60_000);
        expect(limiter.take(0, 1, 63_999)).toBe(1);
        expect(limiter.take(0, 1, 64_000)).toBe(0);
      }
    });

    it('ends a block neither sooner nor later for a shorter one or for other settings', () => {
      const limiter = create(ten, 1);
      limiter.take(0, 1, 1000);
      limiter.block(0, 60_000, 1000);
      limiter.block(0, 10, 2000);
      for (const ratePerSecond of [10, 1000, 0.1, 7.77]) {
        for (const windowMs of [250, 10_000]) {
          limiter.configure({ ratePerSecond, burst: 2 * Math.max(1, ratePerSecond), windowMs }, 20_000);
          expect(limiter.peek(0, 1, 30_000)).toBe(31_000);
        }
      }
    });

    it('is as it would have been after a block that followed another', () => {
      const limiter = create(ten, 1);
      limiter.block(0, 1000, 1000);
      limiter.block(0, 20_000, 1500);
      expect(limiter.peek(0, 1, 21_000)).toBe(500);
      expect(limiter.take(0, 1, 21_500)).toBe(0);
      expect(takeAll(limiter, 0, 31_500)).toBe(10);
    });

    it('gives no more to those who are blocked for a moment', () => {
      const blocks = fc.array(fc.integer({ min: 1, max: 2500 }), { minLength: 20, maxLength: 60 });
      fc.assert(
        fc.property(blocks, fc.boolean(), (blocks, isPatient) => {
          const limiter = create(ten, 1);
          const startMs = 5000;
          let [nowMs, taken] = [startMs, 0];
          for (const blockMs of blocks) {
            taken += takeAll(limiter, 0, nowMs);
            limiter.block(0, blockMs, nowMs);
            nowMs += isPatient ? blockMs : blockMs / 7;
          }
          expect(taken).toBeLessThanOrEqual(20 + (10 * (nowMs - startMs)) / 1000);
        }),
      );
    });

    it('makes a merged slot at least as limited as each of the two was', () => {
      fc.assert(
        fc.property(settings, history, history, fc.nat(3000), (of, past, other, blockMs) => {
          const limiter = create(of, 3);
          const nowMs = Math.max(
            replay(limiter, 0, past),
            replay(limiter, 1, other),
            replay(limiter, 2, other),
          );
          if (blockMs % 3 === 0) limiter.block(0, blockMs, nowMs);
          limiter.merge(0, 1, nowMs);
          for (const laterMs of [0, 1, 10, 50, 100, 333, 1000, 5000, 100_000]) {
            for (const cost of [1, 5, 60]) {
              const merged = limiter.peek(1, cost, nowMs + laterMs);
              expect(merged).toBeGreaterThanOrEqual(limiter.peek(0, cost, nowMs + laterMs));
              expect(merged).toBeGreaterThanOrEqual(limiter.peek(2, cost, nowMs + laterMs));
            }
          }
        }),
      );
    });

    it('does not limit a slot for a fresh one, nor longer for the same one again', () => {
      const limiter = create(ten, 2);
      takeAll(limiter, 0, 1000);
      const waitMs = limiter.peek(0, 1, 1000);
      limiter.merge(1, 0, 1000);
      expect(limiter.peek(0, 1, 1000)).toBe(waitMs);
      limiter.merge(0, 1, 1000);
      for (let i = 0; i < 100; i++) limiter.merge(i % 2, (i + 1) % 2, 1000);
      expect([limiter.peek(0, 1, 1000), limiter.peek(1, 1, 1000)]).toEqual([waitMs, waitMs]);
    });

    it('forgets what a slot used, or was blocked for, when another key gets it', () => {
      const limiter = create(ten, 2);
      takeAll(limiter, 0, 1000);
      limiter.block(1, 1e6, 1000);
      for (const slot of [0, 1]) {
        limiter.reset(slot, 'another');
        expect(limiter.isFresh(slot, 1000)).toBe(true);
        expect(takeAll(limiter, slot, 1000)).toBe(10);
      }
    });

    it('calls fresh what decides as a slot that was never used, and soon everything', () => {
      fc.assert(
        fc.property(settings, history, durationMs, history, (of, past, agoMs, future) => {
          const limiter = create(of, 2);
          const nowMs = replay(limiter, 0, past) + agoMs;
          expect(limiter.isFresh(1, nowMs)).toBe(true);
          if (limiter.isFresh(0, nowMs)) expectSameFuture(limiter, 0, 1, nowMs, future);
          expect(limiter.isFresh(0, nowMs + 1e8)).toBe(true);
        }),
      );
    });

    it('does not call fresh what was just used or is blocked', () => {
      const limiter = create(ten, 2);
      limiter.take(0, 1, 0);
      limiter.block(1, 5000, 0);
      expect([0, 1].map((slot) => limiter.isFresh(slot, 0))).toEqual([false, false]);
      expect(limiter.isFresh(1, 4999)).toBe(false);
    });

    it('keeps slots apart', () => {
      fc.assert(
        fc.property(settings, history, history, (of, past, other) => {
          const limiter = create(of, 4);
          const alone = create(of, 4);
          const nowMs = Math.max(replay(limiter, 1, past), replay(alone, 1, past));
          replay(limiter, 0, other);
          replay(limiter, 2, other);
          limiter.block(2, 1e5, nowMs);
          limiter.merge(2, 0, nowMs);
          limiter.reset(3, 'a key');
          for (const cost of [1, 10]) expect(limiter.peek(1, cost, nowMs)).toBe(alone.peek(1, cost, nowMs));
        }),
      );
    });

    it('counts a step back of the clock as no time', () => {
      const limiter = create(ten, 1);
      let taken = takeAll(limiter, 0, 100_000);
      for (let i = 0; i < 100; i++) {
        taken += takeAll(limiter, 0, 99_000);
        taken += takeAll(limiter, 0, 100_000 + i);
      }
      expect(taken).toBe(10);
      expect(limiter.take(0, 1, 99_000)).toBe(limiter.peek(0, 1, 100_000) + 1000);
      expect(takeAll(limiter, 0, 102_000)).toBe(10);
    });

    it('keeps what was used when it gets other settings', () => {
      const limiter = create(ten, 1);
      takeAll(limiter, 0, 1000);
      limiter.configure({ ratePerSecond: 20.5, burst: 20.5, windowMs: 1000 }, 1000);
      expect(takeAll(limiter, 0, 1000)).toBe(10);
      limiter.configure({ ratePerSecond: 1e6, burst: 1e6, windowMs: 1000 }, 1000);
      expect(takeAll(limiter, 0, 1000)).toBe(1e6 - 20);
      limiter.configure(ten, 1000);
      expect(limiter.take(0, 1, 1000)).toBeGreaterThan(0);
      limiter.configure({ ratePerSecond: 0.1, burst: 1, windowMs: 1000 }, 1000);
      expect(limiter.take(0, 1, 1000)).toBeGreaterThan(0);
    });

    it('forgives who used more than it was lowered to, once it is raised again', () => {
      const limiter = create(ten, 1);
      for (let n = 0; n < 5; n++) limiter.take(0, 1, 1000);
      limiter.configure({ ratePerSecond: 0.001, burst: 1, windowMs: 1000 }, 1000);
      expect(limiter.take(0, 1, 1000)).toBeGreaterThan(0);
      limiter.configure(ten, 1000);
      expect(takeAll(limiter, 0, 1000)).toBe(5);
    });

    it('has let drain at the rate there was what drained before another one', () => {
      const limiter = create(ten, 1);
      takeAll(limiter, 0, 1000);
      limiter.configure({ ratePerSecond: 1, burst: 10, windowMs: 10_000 }, longAfterMs);
      expect(takeAll(limiter, 0, longAfterMs)).toBe(10);
    });

    it('lets a cost above all it can hold pass when it is fresh, and has it paid off', () => {
      const limiter = create(ten, 1);
      const seconds = 600;
      let taken = 0;
      for (let nowMs = 0; nowMs < seconds * 1000; nowMs += 10) {
        if (limiter.take(0, 35, nowMs) === 0) taken += 35;
      }
      expect(taken).toBeLessThanOrEqual(10 * seconds + 35);
      expect(taken).toBeGreaterThanOrEqual(7.5 * seconds);
      limiter.reset(0, 'another');
      limiter.take(0, 1, longAfterMs);
      expect(limiter.take(0, 11, longAfterMs)).toBeGreaterThan(0);
    });

    it('allocates nothing, whether it allows or refuses', () => {
      const limiter = create(ten, 1000);
      const takes = 50_000;
      let nowMs = 0;
      const growths = Array.from({ length: 12 }, () =>
        heapGrowth(() => {
          nowMs += 500;
          takeRound(limiter, takes, nowMs);
        }),
      );
      // Less than a byte a check in the best round: the first ones compile, and the runner allocates beside.
      expect(Math.min(...growths)).toBeLessThan(takes);
    });
  });
}

/** Takes 1 until it is refused; returns how often that went well. */
function takeAll(limiter: Limiter, slot: number, nowMs: number): number {
  let taken = 0;
  while (limiter.take(slot, 1, nowMs) === 0) taken++;
  return taken;
}

function takeRound(limiter: Limiter, takes: number, nowMs: number): void {
  for (let i = 0; i < takes; i++) limiter.take(i % 1000, 1, nowMs);
}

/** Returns the time at its end. */
function replay(limiter: Limiter, slot: number, past: History): number {
  let nowMs = 1000;
  for (const { afterMs, cost } of past) {
    nowMs += afterMs;
    limiter.take(slot, cost, nowMs);
  }
  return nowMs;
}

function expectSame(limiter: Limiter, a: number, b: number, nowMs: number): void {
  for (const laterMs of [0, 1, 10, 99.5, 250, 1000, 10_000]) {
    for (const cost of [1, 2, 10, 60]) {
      expect(limiter.peek(b, cost, nowMs + laterMs)).toBe(limiter.peek(a, cost, nowMs + laterMs));
    }
  }
}

function expectSameFuture(limiter: Limiter, a: number, b: number, fromMs: number, future: History): void {
  let nowMs = fromMs;
  for (const { afterMs, cost } of future) {
    nowMs += afterMs;
    expect(limiter.take(a, cost, nowMs)).toBe(limiter.take(b, cost, nowMs));
  }
}

function heapGrowth(action: () => void): number {
  const before = process.memoryUsage().heapUsed;
  action();
  const growth = process.memoryUsage().heapUsed - before;
  // A collection in between says nothing about what was allocated.
  return growth < 0 ? Infinity : growth;
}
