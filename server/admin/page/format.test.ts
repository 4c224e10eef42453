import { expect, it } from 'vitest';
import {
  byteRateText,
  bytesText,
  countText,
  durationText,
  msText,
  percentText,
  plural,
  rateText,
} from './format.ts';

it.each([
  [0, '0'],
  [0.04, '0'],
  [0.44, '0.4'],
  [9.96, '10'],
  [12.4, '12'],
  [1_234, '1,234'],
  [9_999.6, '10,000'],
  [12_345, '12.3 k'],
  [999_600, '1 M'],
  [1_230_000, '1.23 M'],
  [null, '–'],
])('writes %s per second as %s', (rate, text) => expect(rateText(rate)).toBe(text));

it.each([
  [0, '0 B'],
  [999.4, '999 B'],
  [1_000, '1 kB'],
  [23_456_789, '23.5 MB'],
  [25_276_026_880, '25.3 GB'],
  [3e15, '3 PB'],
])('writes %s bytes as %s', (bytes, text) => expect(bytesText(bytes)).toBe(text));

it.each([
  [0, '0 ms'],
  [0.000_1, '< 1 µs'],
  [0.0042, '4 µs'],
  [0.0999, '0.1 ms'],
  [0.42, '0.42 ms'],
  [0.999, '1 ms'],
  [4.256, '4.3 ms'],
  [42.4, '42 ms'],
  [999.7, '1 s'],
  [1_234, '1.2 s'],
  [62_000, '62 s'],
])('writes %s milliseconds as %s', (ms, text) => expect(msText(ms)).toBe(text));

it.each([
  [0, '0 %'],
  [0.0042, '0.4 %'],
  [0.634, '63 %'],
  [-0.004, '-0.4 %'],
])('writes the share %s as %s', (share, text) => expect(percentText(share)).toBe(text));

it.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [97 * 3_600_000, '4 d 1 h'],
])('writes a duration of %s ms as %s', (ms, text) => expect(durationText(ms)).toBe(text));

it('writes counts to the last one, one thing and many', () => {
  expect([countText(12_345), plural(1, 'client'), plural(2_000, 'client')]).toEqual([
    '12,345',
    '1 client',
    '2,000 clients',
  ]);
  expect([byteRateText(1_500), byteRateText(null)]).toEqual(['1.5 kB/s', '–']);
});
