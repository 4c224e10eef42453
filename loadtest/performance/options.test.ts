import { expect, it } from 'vitest';
import { parseOptions } from './options.ts';

it('measures both parts, one of them, or none where there are results to keep', () => {
  expect(parseOptions([])).toMatchObject({ files: [], measured: ['compare', 'micro'] });
  expect(parseOptions(['--only', 'micro']).measured).toEqual(['micro']);
  expect(parseOptions(['a.json', 'b.json'])).toMatchObject({ files: ['a.json', 'b.json'], measured: [] });
});

it('hands the pace on to the comparison', () => {
  const { compareArgs } = parseOptions(['--rounds', '1']);
  expect(compareArgs.join(' ')).toBe('--clients 1000 --seconds 2 --rounds 1 --retries 1');
});

it.each([
  [['--only', 'codec'], /--only codec: one of compare, micro/],
  [['a.json', '--rounds', '2'], /either results to keep/],
  [['--fast'], /--fast/],
])('refuses %j', (args, reason) => {
  expect(() => parseOptions(args)).toThrow(reason);
});
