import { expect, it } from 'vitest';
import { didYouMean, nearest } from './did-you-mean.ts';

const keys = ['port', 'host', 'maxConnections', 'maxConnectionsPerIp', 'minConnections'];

it.each([
  ['prot', 'port'],
  ['Port', 'port'],
  ['max_connections', 'maxConnections'],
  ['max-connections', 'maxConnections'],
  ['maxConections', 'maxConnections'],
  ['maxConnectionPerIP', 'maxConnectionsPerIp'],
])('takes %s for %s', (typed, meant) => expect(nearest(typed, keys)).toBe(meant));

it.each(['xyzzy', 'timeout', '', 'x'.repeat(100_000)])('suggests nothing for what is not near', (typed) => {
  expect(nearest(typed, keys)).toBeUndefined();
  expect(didYouMean(typed, keys)).toBe('');
});
