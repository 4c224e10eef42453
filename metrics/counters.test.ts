import { expect, it } from 'vitest';
import { Counters } from './counters.ts';

it('counts up and down by index', () => {
  const counters = new Counters({ size: 3 });
  counters.add(1, 5);
  counters.add(1, -2);
  counters.add(2, 1);
  expect([0, 1, 2].map((index) => counters.value(index))).toEqual([0, 3, 1]);
});

it('keeps to its own region of a shared buffer', () => {
  const buffer = new SharedArrayBuffer(4 * 8);
  const first = new Counters({ size: 2, memory: { buffer, byteOffset: 0 } });
  const second = new Counters({ size: 2, memory: { buffer, byteOffset: 16 } });
  first.add(1, 7);
  first.add(2, 100);
  second.add(0, 9);
  expect([...new Float64Array(buffer)]).toEqual([0, 7, 9, 0]);
});

it('counts past what 32 bits hold', () => {
  const counters = new Counters({ size: 1 });
  counters.add(0, 2 ** 40);
  counters.add(0, 1);
  expect(counters.value(0)).toBe(2 ** 40 + 1);
});

it('throws on reading an index that it does not have', () => {
  expect(() => new Counters({ size: 2 }).value(2)).toThrow(RangeError);
});
