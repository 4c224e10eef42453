import { expect, it } from 'vitest';
import { barsOf, lookOf } from './look.ts';
import { ascii, blocks, sparkline } from './sparkline.ts';

it('draws the newest values at the right, the largest highest', () => {
  expect(sparkline([0, 1, 7, 14], 6, blocks)).toBe('  ▁▂▅█');
  expect(sparkline([9, 9, 9, 0, 5, 10], 3, blocks)).toBe('▁▅█');
  expect(sparkline([0, 0], 2, blocks)).toBe('▁▁');
  expect(sparkline([1, 2], 0, blocks)).toBe('');
  expect(sparkline([0, -1, 4], 3, ascii)).toBe('__#');
});

it('draws blocks where the locale has them, and colours at terminals that want them', () => {
  expect(barsOf(lookOf({ LANG: 'C.UTF-8' }, true))).toBe(blocks);
  expect(barsOf(lookOf({ LANG: 'de_DE.utf8', LC_ALL: '' }, true))).toBe(blocks);
  expect(barsOf(lookOf({ LANG: 'C.UTF-8', LC_ALL: 'C' }, true))).toBe(ascii);
  expect(barsOf(lookOf({}, true))).toBe(ascii);
  expect(lookOf({}, true).colours).toBe(true);
  expect(lookOf({}, false).colours).toBe(false);
  expect(lookOf({ NO_COLOR: '1' }, true).colours).toBe(false);
  expect(lookOf({ NO_COLOR: '' }, true).colours).toBe(true);
  expect(lookOf({ TERM: 'dumb' }, true).colours).toBe(false);
});
