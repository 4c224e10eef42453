import { expect, it } from 'vitest';
import { differingKeys } from './differing-keys.ts';
import { completeConfig } from './load.ts';

it('finds none between configurations that say the same', () => {
  expect(differingKeys(completeConfig({}), completeConfig({ listen: { port: 8080 } }))).toEqual([]);
});

it('names each key that differs, appears or goes, and lists as a whole', () => {
  const one = completeConfig({ listen: { port: 1 }, pools: { main: { maxConnections: 3 }, old: {} } });
  const other = completeConfig({
    routes: [{ path: '/ws/v2', pool: 'main' }],
    listen: { tls: null, port: 2 },
    pools: { main: { maxConnections: 4, queue: { maxSize: 1 } }, fresh: {} },
  });
  expect(differingKeys(one, other)).toEqual([
    'listen.port',
    'routes',
    'pools.main.maxConnections',
    'pools.main.queue.maxSize',
    'pools.old',
    'pools.fresh',
  ]);
});

it('takes a section in the place of null for a difference', () => {
  expect(differingKeys({ tls: null }, { tls: { cert: 'a' } })).toEqual(['tls']);
});
