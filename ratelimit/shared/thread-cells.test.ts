import { expect, it } from 'vitest';
import { releaseHeld, ThreadCells } from './thread-cells.ts';
import { limiterOn, memoryOf, takeAll } from './thread-limits.fixture.ts';
import { cellsPerBucket, ThreadLayout } from './thread-memory.ts';

/** Two threads' view of one bucket. */
function bucket() {
  const layout = new ThreadLayout(memoryOf());
  const isFresh = (cell: number): boolean => Atomics.load(layout.words, cell) === 0n;
  return { layout, one: new ThreadCells(layout, isFresh), other: new ThreadCells(layout, isFresh) };
}

/** Does `work` and calls `interrupt` before its nth access to shared memory, or after it when it is done by then. */
function beforeStep<T>(step: number, interrupt: () => void, work: () => T): T {
  let steps = 0;
  const { load, compareExchange } = Atomics;
  const counted = <A extends unknown[], R>(access: (...args: A) => R) => {
    return (...args: A): R => {
      if (++steps === step) interrupt();
      return access(...args);
    };
  };
  Object.assign(Atomics, { load: counted(load), compareExchange: counted(compareExchange) });
  try {
    return work();
  } finally {
    Object.assign(Atomics, { load, compareExchange });
    if (steps < step) interrupt();
  }
}

it('gives a key the same cell in all threads, and no other key', () => {
  const { one, other } = bucket();
  const keys = Array.from({ length: cellsPerBucket - 1 }, (_, i) => `key ${i}`);
  const cells = keys.map((key) => one.hold(key, 0));
  expect(new Set(cells).size).toBe(keys.length);
  expect(keys.map((key) => other.hold(key, 0))).toEqual(cells);
});

it('keeps a cell for its key while it is held or used, and then gives it to another', () => {
  const { layout, one, other } = bucket();
  const cells = Array.from({ length: cellsPerBucket - 1 }, (_, i) => one.hold(`key ${i}`, 0));
  const shared = cellsPerBucket - 1;
  one.release(cells[4]!);
  layout.words[cells[4]!] = 1n;
  expect(other.hold('new', 0)).toBe(shared);
  other.release(shared);
  expect(other.hold('key 4', 0)).toBe(cells[4]);
  other.release(cells[4]!);
  layout.words[cells[4]!] = 0n;
  expect(other.hold('new', 0)).toBe(cells[4]);
  expect(one.hold('key 4', 0)).toBe(shared);
});

it('has keys share the last cell until nobody is in it and what they used has come back', () => {
  const { layout, one } = bucket();
  const cells = Array.from({ length: cellsPerBucket - 1 }, (_, i) => one.hold(`key ${i}`, 0));
  const shared = one.hold('late', 0);
  one.release(cells[0]!);
  // Its cell is free, but the key that shares might come back, and be in two.
  expect(one.hold('later', 0)).toBe(shared);
  expect(one.hold('key 1', 0)).toBe(cells[1]);
  one.release(shared);
  one.release(shared);
  layout.words[shared] = 1n;
  expect(one.hold('late', 0)).toBe(shared);
  one.release(shared);
  layout.words[shared] = 0n;
  expect(one.hold('late', 0)).toBe(cells[0]);
});

it('agrees on one cell when others look for it, too, and cells become free, between any two of its steps', () => {
  for (const heldBefore of [0, 5, cellsPerBucket - 2, cellsPerBucket - 1]) {
    for (let step = 1; step < 4 * cellsPerBucket; step++) {
      for (let stepOfOther = 0; stepOfOther < 4 * cellsPerBucket; stepOfOther += 3) {
        for (const freesFirst of [true, false]) {
          const { one, other } = bucket();
          const held = Array.from({ length: heldBefore }, (_, i) => one.hold(`key ${i}`, 0));
          const cells: number[] = [];
          const free = (): void => {
            const cell = held.pop();
            if (cell !== undefined) other.release(cell);
          };
          const second = (): void => {
            if (freesFirst) free();
            cells.push(beforeStep(stepOfOther, third, () => other.hold('wanted', 0)));
            free();
          };
          const third = (): void => {
            if (freesFirst) free();
            cells.push(other.hold('wanted', 0));
            free();
          };
          cells.push(beforeStep(step, second, () => one.hold('wanted', 0)));
          expect(new Set(cells).size).toBe(1);
        }
      }
    }
  }
});

it('does not take over a cell that was held, used and released while it looked', () => {
  for (let step = 1; step < 4 * cellsPerBucket; step++) {
    const { layout, one, other } = bucket();
    one.release(one.hold('old', 0));
    let usedCell = -1;
    const use = (): void => {
      usedCell = other.hold('old', 0);
      layout.words[usedCell] = 1n;
      other.release(usedCell);
    };
    expect(beforeStep(step, use, () => one.hold('new', 0))).not.toBe(usedCell);
  }
});

it('takes no notice of a thread that died between any two of its steps', () => {
  for (let step = 1; step < 4 * cellsPerBucket; step++) {
    const { one, other } = bucket();
    const die = (): never => {
      throw new Error('terminated');
    };
    try {
      beforeStep(step, die, () => one.hold('wanted', 0));
    } catch (error) {
      expect(error).toEqual(new Error('terminated'));
    }
    const cell = other.hold('wanted', 0);
    expect(one.hold('wanted', 0)).toBe(cell);
  }
});

it('throws when a cell is released that nobody holds', () => {
  const { one } = bucket();
  expect(() => one.release(3)).toThrow('bug: released a cell that is not held');
});

it('frees the cells of a thread that has died', () => {
  const memory = memoryOf();
  const dead = limiterOn(memory, cellsPerBucket);
  for (let slot = 0; slot < cellsPerBucket; slot++) dead.reset(slot, `key ${slot}`);
  const next = limiterOn(memory, 3);
  next.reset(0, 'a');
  next.reset(1, 'b');
  expect(takeAll(next, 0, 0)).toBe(10);
  expect(next.isFresh(1, 0)).toBe(false);
  next.close();
  releaseHeld(memory, dead.held);
  releaseHeld(memory, dead.held);
  for (const slot of [0, 1, 2]) next.reset(slot, `later ${slot}`);
  // What was used of the shared cell takes a second to come back.
  expect(takeAll(next, 0, 0)).toBe(0);
  next.close();
  next.sweep(2000);
  for (const slot of [0, 1, 2]) next.reset(slot, `last ${slot}`);
  expect([0, 1, 2].map((slot) => takeAll(next, slot, 2000))).toEqual([10, 10, 10]);
});
