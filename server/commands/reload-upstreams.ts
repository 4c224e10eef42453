import { isDeepStrictEqual } from 'node:util';
import type { PoolsControl } from '../admin/pools-control.ts';
import type { Config } from '../config/schema.ts';
import { ECHO } from '../config/upstream-url.ts';

/** What rereading the upstreams of pools needs of the gateway. */
export type UpstreamsControl = Pick<PoolsControl, 'urlsOf' | 'setUpstreams'>;

/**
 * Gives every pool the upstreams that it has in `loaded`, where they are not those that it has now. Returns `loaded` as it is to be
 * compared with what the gateway was started with: without what could be put in force.
 */
export function reloadUpstreams(
  loaded: Config['pools'],
  running: Config['pools'],
  control: UpstreamsControl,
): Config['pools'] {
  const entries = Object.entries(loaded).map(([name, pool]): [string, Config['pools'][string]] => {
    const before = Object.hasOwn(running, name) ? running[name] : undefined;
    const current = control.urlsOf(name);
    // The embedded backend is no upstream: to it, or from it, takes a restart.
    if (before === undefined || current === undefined || pool.upstreams.includes(ECHO)) return [name, pool];
    if (!isDeepStrictEqual(current, pool.upstreams)) control.setUpstreams(name, pool.upstreams);
    return [name, { ...pool, upstreams: before.upstreams }];
  });
  return Object.fromEntries(entries);
}
