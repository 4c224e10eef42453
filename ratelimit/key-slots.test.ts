import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { KeySlots } from './key-slots.ts';
import { slotsOver } from './key-slots.fixture.ts';
import { TokenBucket } from './token-bucket.ts';

describe('KeySlots', () => {
  it('gives each key a slot of its own, and the same one each time', () => {
    const { slots } = slotsOver(3);
    const [a, b] = [slots.acquire('a', 0), slots.acquire('b', 0)];
    expect(a).not.toBe(b);
    expect(slots.acquire('a', 0)).toBe(a);
    expect([slots.keyOf(a), slots.keyOf(b), slots.size]).toEqual(['a', 'b', 2]);
  });

  it('remembers a key that nobody holds until it is swept', () => {
    const { slots } = slotsOver(3);
    const slot = slots.acquire('a', 0);
    slots.release(slot);
    expect(slots.acquire('a', 0)).toBe(slot);
    slots.release(slot);
    expect(slots.sweep(3, 0)).toBe(1);
    expect([slots.size, slots.keyOf(slot)]).toEqual([0, undefined]);
  });

  it('takes the empty key for a key', () => {
    const { slots } = slotsOver(2);
    const slot = slots.acquire('', 0);
    expect([slots.keyOf(slot), slots.acquire('', 0)]).toEqual(['', slot]);
  });

  it('holds a key until it was released as often as acquired, and throws when released once more', () => {
    const { slots } = slotsOver(2);
    const slot = slots.acquire('a', 0);
    slots.acquire('a', 0);
    slots.release(slot);
    expect(slots.sweep(2, 0)).toBe(0);
    slots.release(slot);
    expect(() => slots.release(slot)).toThrow('bug: ');
    expect(() => slots.release(2)).toThrow('bug: ');
    expect(slots.sweep(2, 0)).toBe(1);
  });

  it('sweeps neither held nor limited keys', () => {
    const { slots, limiter } = slotsOver(3);
    slots.acquire('held', 0);
    const limited = slots.acquire('limited', 0);
    limiter.limit(limited, 100);
    slots.release(limited);
    slots.release(slots.acquire('idle', 0));
    expect(slots.sweep(10, 99)).toBe(1);
    expect(slots.size).toBe(2);
    expect(slots.sweep(10, 100)).toBe(1);
    expect(slots.size).toBe(1);
  });

  it('never sweeps more slots than asked for, and comes round to all', () => {
    const { slots, limiter } = slotsOver(100);
    for (let i = 0; i < 50; i++) slots.release(slots.acquire(`key ${i}`, 0));
    const forgotten = [];
    for (let i = 0; i < 8; i++) {
      limiter.looks = 0;
      forgotten.push(slots.sweep(7, 0));
      expect(limiter.looks).toBeLessThanOrEqual(7);
    }
    expect(forgotten).toEqual([7, 7, 7, 7, 7, 7, 7, 1]);
    expect(slots.size).toBe(0);
  });

  it('has a slot that was forgotten reset before another key gets it', () => {
    const { slots, limiter } = slotsOver(1);
    const slot = slots.acquire('a', 0);
    limiter.limit(slot, 100);
    slots.release(slot);
    slots.sweep(1, 100);
    expect(slots.acquire('b', 50)).toBe(slot);
    expect(limiter.limitedUntilMs[slot]).toBe(0);
  });

  it('has an evicted key come back as limited as it was', () => {
    const { slots, limiter } = slotsOver(1);
    const slot = slots.acquire('a', 0);
    limiter.limit(slot, 1_000);
    slots.release(slot);
    slots.release(slots.acquire('b', 0));
    expect(slots.keyOf(slot)).toBe('b');
    expect(limiter.isFresh(slots.acquire('a', 999), 999)).toBe(false);
  });

  it('has a key that was evicted with an empty token bucket come back with one that is still empty', () => {
    const [maxKeys, overflowCells] = [1, 1_024];
    const settings = { ratePerSecond: 1, burst: 2, windowMs: 1_000 };
    const bucket = new TokenBucket(settings, KeySlots.slotCount(maxKeys, overflowCells));
    const slots = new KeySlots({ maxKeys, overflowCells, limiter: bucket, secret: 'a secret' });
    const spend = (key: string, nowMs: number): number => {
      const slot = slots.acquire(key, nowMs);
      const waitMs = bucket.take(slot, 1, nowMs);
      slots.release(slot);
      return waitMs;
    };
    expect([spend('a', 0), spend('a', 0), spend('b', 0)]).toEqual([0, 0, 0]);
    expect(spend('a', 0)).toBeGreaterThan(0);
    expect(spend('b', 0)).toBe(0);
    expect(spend('a', 999)).toBeGreaterThan(0);
    expect(spend('a', 1_010)).toBe(0);
  });

  it('evicts a fresh key before a limited one, in whatever order they came', () => {
    const { slots, limiter } = slotsOver(4);
    for (const key of ['a', 'b', 'c', 'd']) {
      const slot = slots.acquire(key, 0);
      slots.release(slot);
      if (key !== 'c') limiter.limit(slot, 100);
    }
    slots.acquire('e', 0);
    const left: string[] = [];
    slots.forEachSlot((_, key) => left.push(key));
    expect(left.sort()).toEqual(['a', 'b', 'd', 'e']);
  });

  it('looks at 16 slots at most to find room', () => {
    const { slots, limiter } = slotsOver(1_000);
    for (let i = 0; i < 1_000; i++) {
      const slot = slots.acquire(`key ${i}`, 0);
      limiter.limit(slot, 100);
      slots.release(slot);
    }
    limiter.looks = 0;
    slots.acquire('one more', 0);
    expect(limiter.looks).toBe(16);
  });

  it('lets keys share overflow cells while all slots are held, each released once', () => {
    const { slots, limiter } = slotsOver(2, 1);
    const [a] = [slots.acquire('a', 0), slots.acquire('b', 0)];
    const shared = slots.acquire('c', 0);
    expect(shared).toBe(2);
    expect(slots.acquire('d', 0)).toBe(shared);
    expect([slots.size, slots.keyOf(shared)]).toEqual([2, undefined]);
    limiter.limit(shared, 100);
    slots.release(shared);
    slots.release(shared);
    expect(() => slots.release(shared)).toThrow('bug: ');
    slots.release(a);
    const own = slots.acquire('c', 0);
    expect(own).toBe(a);
    expect(limiter.isFresh(own, 99)).toBe(false);
  });

  it('visits the slots with keys in their order', () => {
    const { slots } = slotsOver(5);
    const [, b] = ['a', 'b', 'c'].map((key) => slots.acquire(key, 0));
    slots.release(b!);
    slots.sweep(5, 0);
    const visited: unknown[] = [];
    slots.forEachSlot((slot, key) => visited.push([slot, key]));
    expect(visited).toEqual([
      [0, 'a'],
      [2, 'c'],
    ]);
  });

  it('tells long keys apart, and keeps their first 256 characters', () => {
    const { slots } = slotsOver(5);
    const long = 'x'.repeat(300);
    const [one, two] = [slots.acquire(`${long}1`, 0), slots.acquire(`${long}2`, 0)];
    expect(one).not.toBe(two);
    expect(slots.keyOf(one)).toBe('x'.repeat(256));
  });

  it('throws on a number of keys or of overflow cells that cannot work', () => {
    for (const [maxKeys, cells] of [
      [0, 4],
      [1.5, 4],
      [4, 0],
      [4, 3],
      [4, 0.5],
    ] as const) {
      const { limiter } = slotsOver(4);
      expect(() => new KeySlots({ maxKeys, overflowCells: cells, limiter, secret: '' })).toThrow('bug: ');
    }
  });

  it('stays within its cap and its looks through 1,000,000 distinct keys', () => {
    const maxKeys = 10_000;
    const { slots, limiter } = slotsOver(maxKeys, 1_024);
    let greatest = 0;
    for (let i = 0; i < 1_000_000; i++) {
      const slot = slots.acquire(`key ${i}`, i);
      if (i % 3 === 0) limiter.limit(slot, i + 50_000);
      slots.release(slot);
      greatest = Math.max(greatest, slots.size);
      if (i % 1_000 === 0) slots.sweep(100, i);
    }
    expect(greatest).toBe(maxKeys);
    expect(limiter.looks).toBeLessThanOrEqual(16 * 1_000_000 + 100 * 1_000);
    let visited = 0;
    slots.forEachSlot(() => visited++);
    expect(visited).toBe(slots.size);
  });

  it('does not keep the texts that its keys were part of', () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const { slots } = slotsOver(1_000);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 1_000; i++) {
      const url = `/${i}?identity=${i}-of-some-length&${String.fromCharCode(97 + (i % 26)).repeat(50_000)}`;
      const query = Buffer.from(url).toString();
      slots.acquire(query.slice(query.indexOf('=') + 1, query.indexOf('&')), 0);
    }
    collectGarbage();
    expect(slots.size).toBe(1_000);
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
  });
});
