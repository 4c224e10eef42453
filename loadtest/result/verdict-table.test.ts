import { expect, it } from 'vitest';
import { verdictTable } from './verdict-table.ts';

it('marks what has passed, failed, and was not judged', () => {
  const table = verdictTable([
    { expectation: 'all is well', measured: 'it is', passed: true },
    { expectation: 'none is lost', measured: '3 of 9', passed: false },
    { expectation: 'the books agree', measured: 'not judged', passed: null },
  ]);
  expect(table.split('\n')).toEqual([
    '          expectation      measured',
    '  passed  all is well      it is',
    '  FAILED  none is lost     3 of 9',
    '  –       the books agree  not judged',
  ]);
});

it('breaks long texts, each within its column', () => {
  const long = 'word '.repeat(40).trim();
  const lines = verdictTable([{ expectation: long, measured: long, passed: true }]).split('\n');
  expect(lines.length).toBe(4);
  for (const line of lines) expect(line.length).toBeLessThan(160);
});
