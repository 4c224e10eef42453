import fc from 'fast-check';
import { expect, it } from 'vitest';
import { slotsOver } from './key-slots.fixture.ts';
import { KeySlots } from './key-slots.ts';

const [maxKeys, cells] = [5, 2];
/** More than there are slots, so that keys are evicted, come back and have to share. */
const keys = Array.from({ length: 9 }, (_, i) => `key ${i}`);

const step = fc.record({
  act: fc.constantFrom('acquire', 'acquire', 'release', 'release', 'limit', 'sweep'),
  key: fc.constantFrom(...keys),
  passMs: fc.nat(20),
  amount: fc.nat(60),
});

/** What is expected of the slots: who holds which, and until when each key must be limited. */
class Model {
  readonly holds = new Map<string, number[]>();
  readonly limitedUntilMs = new Map<string, number>();

  heldSlots(key: string): number[] {
    return this.holds.get(key) ?? [];
  }

  /** The slot of its own that the key is held in, if it is. */
  ownSlot(key: string): number | undefined {
    return this.heldSlots(key).find((slot) => slot < maxKeys);
  }

  owners(): string[] {
    return keys.filter((key) => this.ownSlot(key) !== undefined);
  }
}

it('keeps held keys apart, stays within its cap and forgives nobody, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200, size: 'max' }), (steps) => {
      const { slots, limiter } = slotsOver(maxKeys, cells);
      const model = new Model();
      let nowMs = 0;

      const acquire = (key: string): void => {
        const own = model.ownSlot(key);
        const roomForKey = model.owners().length < maxKeys;
        const slot = slots.acquire(key, nowMs);
        if (own !== undefined) expect(slot).toBe(own);
        else expect(slot < maxKeys).toBe(roomForKey);
        model.holds.set(key, [...model.heldSlots(key), slot]);
        const untilMs = model.limitedUntilMs.get(key) ?? 0;
        if (untilMs > nowMs) expect(limiter.limitedUntilMs[slot]).toBeGreaterThanOrEqual(untilMs);
      };

      const release = (key: string, pick: number): void => {
        const held = model.heldSlots(key);
        const [slot] = held.splice(pick % Math.max(held.length, 1), 1);
        if (slot !== undefined) slots.release(slot);
      };

      const limit = (key: string, untilMs: number): void => {
        const slot = model.heldSlots(key).at(-1);
        if (slot === undefined) return;
        limiter.limit(slot, untilMs);
        // Who shares a cell and has a slot as well, held or remembered, has two allowances.
        let known: number | undefined;
        slots.forEachSlot((own, name) => (known = name === key ? own : known));
        const promised = model.heldSlots(key).every((held) => held === (known ?? slot));
        if (promised) model.limitedUntilMs.set(key, Math.max(model.limitedUntilMs.get(key) ?? 0, untilMs));
      };

      const sweep = (count: number): void => {
        const sizeBefore = slots.size;
        limiter.looks = 0;
        const forgotten = slots.sweep(count, nowMs);
        expect(forgotten).toBe(sizeBefore - slots.size);
        expect(limiter.looks).toBeLessThanOrEqual(count);
        if (count < maxKeys) return;
        const held = new Set(model.owners().map((key) => model.ownSlot(key)));
        slots.forEachSlot((slot) => expect(held.has(slot) || !limiter.isFresh(slot, nowMs)).toBe(true));
      };

      for (const { act, key, passMs, amount } of steps) {
        nowMs += passMs;
        if (act === 'acquire') acquire(key);
        if (act === 'limit') limit(key, nowMs + amount);
        if (act === 'sweep') sweep(amount % (2 * maxKeys));
        if (act === 'release') release(key, amount);

        const owned = model.owners().map((owner) => model.ownSlot(owner)!);
        expect(new Set(owned).size).toBe(owned.length);
        for (const owner of model.owners()) expect(slots.keyOf(model.ownSlot(owner)!)).toBe(owner);
        const visited = new Map<string, number>();
        slots.forEachSlot((slot, name) => visited.set(name, slot));
        expect(visited.size).toBe(slots.size);
        expect(slots.size).toBeLessThanOrEqual(maxKeys);
      }

      for (const slot of keys.flatMap((key) => model.heldSlots(key))) slots.release(slot);
      for (let slot = 0; slot < KeySlots.slotCount(maxKeys, cells); slot++)
        expect(() => slots.release(slot)).toThrow('bug: ');
    }),
  );
});
