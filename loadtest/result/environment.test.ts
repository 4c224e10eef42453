import { expect, it } from 'vitest';
import { networkTo } from './environment.ts';

it('tells loopback from a network', () => {
  expect(networkTo([])).toBe('loopback');
  expect(networkTo(['localhost', '127.0.0.2', '[::1]', '::1'])).toBe('loopback');
  expect(networkTo(['127.0.0.1', 'a.example', 'a.example'])).toBe('to 127.0.0.1, a.example');
  expect(networkTo(['localhost.example'])).toBe('to localhost.example');
});
