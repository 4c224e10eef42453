import type { Breach } from './scalars.ts';
import { keyText, valueAt } from './tree.ts';

/** Limits that stand there twice. It and the next one take input that other faults may have left half-checked. */
export function repeatedLimits(rateLimits: unknown): Breach[] {
  const firstByLimit = new Map<string, number>();
  const breaches: Breach[] = [];
  for (const [index, limit] of entriesOf(rateLimits)) {
    const key = JSON.stringify(limit);
    const first = firstByLimit.get(key);
    if (first === undefined) firstByLimit.set(key, index);
    else
      breaches.push({
        path: ['rateLimits', index],
        problem: `is the same as ${keyText(['rateLimits', first])}`,
      });
  }
  return breaches;
}

/** Limits on a route that is not there. */
export function unknownRoutes(rateLimits: unknown, routes: unknown): Breach[] {
  const paths = entriesOf(routes).map(([, route]) => valueAt(route, ['path']));
  const known = paths.filter((path) => typeof path === 'string');
  const problem = `is not the path of a route; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ') || 'none'}`;
  return entriesOf(rateLimits).flatMap(([index, limit]) => {
    const match = valueAt(limit, ['match']);
    const limitsRoute = valueAt(limit, ['scope']) === 'route' && typeof match === 'string' && match !== '';
    return !limitsRoute || known.includes(match) ? [] : [{ path: ['rateLimits', index, 'match'], problem }];
  });
}

function entriesOf(list: unknown): [index: number, entry: unknown][] {
  return Array.isArray(list) ? [...list.entries()] : [];
}
