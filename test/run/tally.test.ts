import { expect, test } from 'vitest';
import { addTallies, countLine } from './tally.ts';

const lint = { passed: 4, failed: 1, skipped: 0, faults: ['lint'] };
const suites = { passed: 120, failed: 0, skipped: 2, faults: [] };

test('adds the steps of a run', () => {
  expect(addTallies([lint, suites])).toEqual({ passed: 124, failed: 1, skipped: 2, faults: ['lint'] });
});

test('prints the count on one line, and the skipped only where there are some', () => {
  expect(countLine(lint)).toBe('4 passed, 1 failed');
  expect(countLine(suites)).toBe('120 passed, 0 failed, 2 skipped');
});
