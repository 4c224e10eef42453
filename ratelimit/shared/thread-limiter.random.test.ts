import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createLimiter, strategyNames } from '../strategies.ts';
import { limiterOn, memoryOf } from './thread-limits.fixture.ts';

const move = fc.record({
  act: fc.constantFrom('take', 'take', 'take', 'refused take', 'block', 'reset', 'sweep'),
  slot: fc.nat(2),
  pauseMs: fc.oneof(fc.constant(0), fc.nat(20), fc.nat(1000)),
  cost: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 80 })),
});

/** A shared window begins at a multiple of 1/4 ms, as it does at these whatever is paid off. */
const roundRates = fc.constantFrom(1, 2, 5, 8, 10, 20, 25, 40, 50);

it.each(strategyNames)('decides as the %s of one thread does, whatever is asked of it', (strategy) => {
  fc.assert(
    fc.property(
      strategy === 'sliding-window' ? roundRates : fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      fc.array(move, { maxLength: 100, size: 'max' }),
      (ratePerSecond, burst, moves) => {
        // After a block, what a window counts on is not the same: both are as strict as they have to be.
        const blocks = strategy !== 'sliding-window';
        const settings = { ratePerSecond, burst, windowMs: 1000 };
        const alone = createLimiter(strategy, settings, 3);
        const shared = limiterOn(memoryOf({ strategy, cells: 100, ...settings }), 3);
        let nowMs = 1000;
        for (const [i, { act, slot, pauseMs, cost }] of moves.entries()) {
          nowMs += pauseMs;
          for (const limiter of [alone, shared]) {
            if (act === 'refused take' && limiter.take(slot, cost, nowMs) === 0) limiter.refund(slot, cost);
            if (act === 'block' && blocks) limiter.block(slot, cost * 10, nowMs);
            if (act === 'reset') limiter.reset(slot, `key ${i}`);
          }
          if (act === 'sweep') shared.sweep(nowMs);
          if (act === 'take') expect(shared.take(slot, cost, nowMs)).toBe(alone.take(slot, cost, nowMs));
          for (const cost of [1, 7, 70])
            expect(shared.peek(slot, cost, nowMs)).toBe(alone.peek(slot, cost, nowMs));
          expect(shared.isFresh(slot, nowMs)).toBe(alone.isFresh(slot, nowMs));
        }
      },
    ),
    { numRuns: 300 },
  );
});
