import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ledger } from './ledger.ts';

it('settles each message once, and only what is owed', () => {
  const ledger = new Ledger();
  ledger.owe(5);
  expect(ledger.settle(4)).toBe(false);
  expect(ledger.settle(5)).toBe(true);
  expect(ledger.settle(5)).toBe(false);
  expect(ledger.settle(1e12)).toBe(false);
  expect(ledger.owed).toBe(0);
});

it('agrees with a set, whatever is sent and answered in whatever order', () => {
  const step = fc.record({ send: fc.integer({ min: 1, max: 70_000 }), answer: fc.double({ noNaN: true }) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const ledger = new Ledger();
      const owed = new Set<number>();
      let sent = 0;
      for (const { send, answer } of steps) {
        for (let i = 0; i < send; i += 977) {
          ledger.owe(sent + i);
          owed.add(sent + i);
        }
        sent += send;
        for (const message of [...owed].filter((_, i) => Math.sin(answer * i) > 0)) {
          expect(ledger.settle(message)).toBe(owed.delete(message));
          expect(ledger.settle(message)).toBe(false);
        }
        expect(ledger.owed).toBe(owed.size);
      }
      for (const message of owed) expect(ledger.settle(message)).toBe(true);
      expect(ledger.owed).toBe(0);
    }),
    { numRuns: 30 },
  );
});
