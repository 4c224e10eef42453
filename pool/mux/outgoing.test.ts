import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Outgoing } from './outgoing.ts';

it('sends what is held in its order, in parts that the credit pays for, and nothing beyond it', () => {
  const message = fc.uint8Array({ maxLength: 200 });
  const step = fc.oneof(message, fc.integer({ min: 1, max: 300 }));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), fc.constantFrom(1, 100, 10_000), (steps, budget) => {
      const outgoing = new Outgoing();
      const held: Buffer[] = [];
      const sent: Buffer[] = [];
      let parts: Buffer[] = [];
      let credit = 0;
      const write = (buf: Uint8Array, start: number, end: number, _: boolean, isLast: boolean): void => {
        credit -= end - start + 16;
        expect(credit).toBeGreaterThanOrEqual(0);
        parts.push(Buffer.from(buf.subarray(start, end)));
        if (!isLast) return expect(end).toBeGreaterThan(start);
        sent.push(Buffer.concat(parts));
        parts = [];
      };
      const sendAll = (): void => {
        while (outgoing.canSend) {
          const before = credit;
          outgoing.send(budget, write);
          expect(credit, 'something was sent').toBeLessThan(before);
        }
      };
      for (const next of steps) {
        if (typeof next === 'number') {
          credit += next;
          expect(outgoing.grant(next)).toBe(true);
        } else {
          held.push(Buffer.from(next));
          if (outgoing.payWhole(next.length)) write(next, 0, next.length, true, true);
          else outgoing.hold(next, true);
        }
        sendAll();
        expect(outgoing.credit).toBe(credit);
      }
      credit += 1_000_000;
      outgoing.grant(1_000_000);
      sendAll();
      expect(sent).toEqual(held);
      expect([outgoing.isHolding, outgoing.heldBytes]).toEqual([false, 0]);
    }),
  );
});

it('sends a message again from its start when it begins anew', () => {
  const outgoing = new Outgoing();
  const parts: string[] = [];
  const write = (buf: Uint8Array, start: number, end: number): void =>
    void parts.push(Buffer.from(buf.subarray(start, end)).toString());
  outgoing.hold(Buffer.from('hello'), false);
  outgoing.grant(18);
  outgoing.send(1_000, write);
  outgoing.restart();
  outgoing.grant(1_000);
  outgoing.send(1_000, write);
  expect(parts).toEqual(['he', 'hello']);
});

it('refuses a credit above the maximum', () => {
  const outgoing = new Outgoing();
  expect(outgoing.grant(2 ** 31 - 1)).toBe(true);
  expect(outgoing.grant(1)).toBe(false);
});
