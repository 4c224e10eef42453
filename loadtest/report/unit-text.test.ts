import { describe, expect, it } from 'vitest';
import { msText, nsText, scaleText, secondsText, shareText, unitText } from './unit-text.ts';

describe('the texts of figures', () => {
  it('are milliseconds for most of a column, with three digits that count', () => {
    expect([0.042, 0.4213, 4.213, 42.13, 421.3, 4_213.4, 42_134].map(msText)).toEqual([
      ...['0.042 ms', '0.421 ms', '4.21 ms', '42.1 ms', '421 ms', '4,213 ms', '42.1 s'],
    ]);
    expect([0.9996, 9.996, 99.96, 9_999.6].map(msText)).toEqual(['1.00 ms', '10.0 ms', '100 ms', '10.0 s']);
  });

  it('never round what is not quite nothing to nothing, nor what is not quite all to all', () => {
    expect([0, 0.000_001, 0.000_02, 0.0123, 0.5, 0.999_999, 1].map(shareText)).toEqual([
      ...['0 %', '< 0.001 %', '0.002 %', '1.23 %', '50.0 %', '> 99.99 %', '100 %'],
    ]);
  });

  it('have separators, and shorter ones beside a scale', () => {
    expect(unitText('per second', 50_000)).toBe('50,000');
    expect(unitText('per second', 0.4)).toBe('0.4');
    expect(scaleText('per second', 50_000)).toBe('50 k');
    expect(unitText('bytes', 160e6)).toBe('160 MB');
    expect(scaleText('ms', 1_000)).toBe('1,000 ms');
  });

  it('know nanoseconds and long runs', () => {
    expect([0.94, 41, 4_200, 1_200_000].map(nsText)).toEqual(['0.9 ns', '41 ns', '4.2 µs', '1.20 ms']);
    expect([3.2, 59.97, 600, 3_725].map(secondsText)).toEqual([
      '3.2 s',
      '1 min 0 s',
      '10 min 0 s',
      '1 h 2 min',
    ]);
  });
});
