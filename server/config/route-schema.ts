import { z } from 'zod';
import { priorityName } from './pool-schema.ts';
import { checkedText, filledText, type Breach } from './scalars.ts';

const routeSchema = z.strictObject({
  path: checkedText('a path that starts with / and has no query', pathProblem).meta({
    description: 'Path of the URL that clients connect to.',
  }),
  pool: filledText('the name of a pool').meta({ description: 'The pool that serves it.' }),
  priority: priorityName.default('medium').meta({
    description: 'Class that requests wait in whose method has none of its own: high, medium or low.',
  }),
});

export const routesSchema = z
  .array(routeSchema)
  .min(1)
  .max(1_000)
  .prefault([{ path: '/ws', pool: 'main' }])
  .meta({ description: 'Which path leads to which pool.' });

function pathProblem(path: string): string | undefined {
  if (!path.startsWith('/')) return 'does not start with /';
  if (/[?#]/.test(path)) return 'has a query or fragment, which routes do not look at';
  return /^[\x21-\x7e]+$/.test(path) && !path.includes('*') && !path.includes('/:')
    ? undefined
    : 'is not a plain path: no wildcard, parameter or white space';
}

/** Routes whose path has a route already. It and the next one take input that other faults may have left half-checked. */
export function repeatedPaths(routes: unknown): Breach[] {
  const seen = new Set<string>();
  const breaches: Breach[] = [];
  for (const { index, path } of readableRoutes(routes)) {
    if (path === undefined) continue;
    if (seen.has(path)) breaches.push({ path: ['routes', index, 'path'], problem: 'has a route already' });
    seen.add(path);
  }
  return breaches;
}

/** Routes to a pool that is not there. */
export function unknownPools(routes: unknown, pools: unknown): Breach[] {
  if (typeof pools !== 'object' || pools === null) return [];
  const names = Object.keys(pools);
  const known = `there ${names.length === 1 ? 'is' : 'are'} ${names.join(', ') || 'none'}`;
  return readableRoutes(routes).flatMap(({ index, pool }) =>
    pool === undefined || names.includes(pool)
      ? []
      : [{ path: ['routes', index, 'pool'], problem: `is not the name of a pool; ${known}` }],
  );
}

interface ReadableRoute {
  readonly index: number;
  readonly path: string | undefined;
  readonly pool: string | undefined;
}

function readableRoutes(routes: unknown): ReadableRoute[] {
  if (!Array.isArray(routes)) return [];
  return routes.map((route: unknown, index) => ({
    index,
    path: textAt(route, 'path'),
    pool: textAt(route, 'pool'),
  }));
}

function textAt(value: unknown, key: string): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const found: unknown = Reflect.get(value, key);
  return typeof found === 'string' && found !== '' ? found : undefined;
}
