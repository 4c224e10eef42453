import { expect, it } from 'vitest';
import { bytes, count, duration, milliseconds, percent } from './figures.ts';

it('writes figures in few columns', () => {
  expect([0, 0.26, 7.5, 9.96, 123.4, 9_876, 12_345, 123_456, 999_600, 1_234_567, 2e9].map(count)).toEqual([
    '0',
    '0.3',
    '7.5',
    '10',
    '123',
    '9,876',
    '12.3k',
    '123k',
    '1.00M',
    '1.23M',
    '2.00G',
  ]);
  expect([0, 999, 1_000, 1_536, 12_000, 25e9].map(bytes)).toEqual([
    '0 B',
    '999 B',
    '0.98 KB',
    '1.50 KB',
    '11.7 KB',
    '23.3 GB',
  ]);
  expect([0, 0.42, 4.56, 45.6, 456, 1_500].map(milliseconds)).toEqual([
    '0 ms',
    '0.42 ms',
    '4.56 ms',
    '45.6 ms',
    '456 ms',
    '1.50 s',
  ]);
  expect([0, 0.256, 1].map(percent)).toEqual(['0 %', '26 %', '100 %']);
  expect([-5, 900, 65_000, 3_725_000, 90_000_000].map(duration)).toEqual([
    '0 s',
    '0 s',
    '1 min 5 s',
    '1 h 2 min',
    '1 d 1 h',
  ]);
});

it('writes a dash for what is no number', () => {
  expect([count, bytes, milliseconds, percent, duration].map((write) => write(NaN))).toEqual(
    Array(5).fill('-'),
  );
});
