import { expect, test } from 'vitest';
import { methodName, shownMethod } from './method-name.ts';

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

test.each([
  ['eth_call', 'eth_call'],
  ['tools\\/call', 'tools/call'],
  ['$/cancelRequest', '$/cancelRequest'],
  ['', ''],
  ['two words', ''],
  ['line\\nbreak', ''],
  ['\\u001b[31m', ''],
  ['métho', ''],
  ['<script>', ''],
  ['m'.repeat(64), 'm'.repeat(64)],
  ['m'.repeat(65), ''],
])('shows %s in logs as "%s"', (raw, shown) => {
  const bytes = new Uint8Array(Buffer.from(`""${raw}""`));
  expect(shownMethod(bytes, 2, bytes.length - 2)).toBe(shown);
  expect(shownMethod(bytes, -1, -1)).toBe('');
});
