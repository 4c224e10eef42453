import { expect, it } from 'vitest';
import { lonelyValues } from './lonely-values.ts';

it.each([
  [[], []],
  [[5], [0]],
  [[5, 6], []],
  [
    [0, null, 6, null, null, 7, 8, null, 9],
    [0, 2, 8],
  ],
])('finds in %j those alone: %j', (values, alone) => expect(lonelyValues(values)).toEqual(alone));
