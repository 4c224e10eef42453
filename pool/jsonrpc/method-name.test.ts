import { expect, test } from 'vitest';
import { methodName } from './method-name.ts';

test.each([
  ['eth_call', 'eth_call'],
  ['', ''],
  ['tools\\/call', 'tools/call'],
  ['\\u0074ools/call', 'tools/call'],
  ['métho😀', 'métho😀'],
  ['\\ud800', '\ud800'],
])('reads %s', (raw, name) => {
  const bytes = new Uint8Array(Buffer.from(`""${raw}""`));
  expect(methodName(bytes, 2, bytes.length - 2)).toBe(name);
});
