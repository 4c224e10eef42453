import { expect, it } from 'vitest';
import { completeConfig } from '../config/load.ts';
import type { Config } from '../config/schema.ts';
import { reloadUpstreams } from './reload-upstreams.ts';

const poolsOf = (upstreams: Readonly<Record<string, string[]>>): Config['pools'] =>
  completeConfig({
    pools: Object.fromEntries(Object.entries(upstreams).map(([name, urls]) => [name, { upstreams: urls }])),
    routes: Object.keys(upstreams).map((pool) => ({ path: `/${pool}`, pool })),
  }).pools;

interface Outcome {
  readonly set: readonly (readonly string[])[];
  readonly toCompare: Readonly<Record<string, readonly string[]>>;
}

/** `now` is what the pools have had since their last change; an embedded backend has no upstreams. */
function reloaded(
  loaded: Readonly<Record<string, string[]>>,
  running: Readonly<Record<string, string[]>>,
  now: Readonly<Record<string, string[]>> = running,
): Outcome {
  const set: string[][] = [];
  const toCompare = reloadUpstreams(poolsOf(loaded), poolsOf(running), {
    urlsOf: (pool) => (now[pool]?.[0] === 'echo:' ? undefined : now[pool]),
    setUpstreams: (pool, urls) => {
      set.push([pool, ...urls]);
      return { added: [], removed: [] };
    },
  });
  return {
    set,
    toCompare: Object.fromEntries(Object.entries(toCompare).map(([name, pool]) => [name, pool.upstreams])),
  };
}

it('gives a pool its new upstreams, which then need no restart', () => {
  expect(reloaded({ a: ['ws://x', 'ws://y'], b: ['ws://z'] }, { a: ['ws://x'], b: ['ws://z'] })).toEqual({
    set: [['a', 'ws://x', 'ws://y']],
    toCompare: { a: ['ws://x'], b: ['ws://z'] },
  });
});

it('undoes what was changed since, and leaves alone what is as it should be', () => {
  expect(reloaded({ a: ['ws://x'] }, { a: ['ws://x'] }, { a: ['ws://y'] }).set).toEqual([['a', 'ws://x']]);
  expect(reloaded({ a: ['ws://y'] }, { a: ['ws://x'] }, { a: ['ws://y'] }).set).toEqual([]);
});

it.each([
  ['to the embedded backend', { a: ['echo:'] }, { a: ['ws://x'] }],
  ['from the embedded backend', { a: ['ws://x'] }, { a: ['echo:'] }],
  ['to a pool more', { a: ['ws://x'], b: ['ws://y'] }, { a: ['ws://x'] }],
])('leaves a change %s to a restart', (_what, loaded, running) => {
  expect(reloaded(loaded, running)).toEqual({ set: [], toCompare: loaded });
});
