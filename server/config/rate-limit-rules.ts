import type { Breach } from './scalars.ts';
import { keyText, valueAt } from './tree.ts';

/** What makes two limits the same one, so that the second would count everything again. */
const sameness = ['scope', 'match', 'per', 'unit', 'strategy'] as const;

/** Limits that stand there twice. It and the next one take input that other faults may have left half-checked. */
export function repeatedLimits(rateLimits: unknown): Breach[] {
  const firstByLimit = new Map<string, number>();
  const breaches: Breach[] = [];
  for (const [index, limit] of entriesOf(rateLimits)) {
    const key = samenessKey(limit);
    const first = key === undefined ? undefined : firstByLimit.get(key);
    if (first !== undefined) {
      const problem = `is the same limit as ${keyText(['rateLimits', first])}`;
      breaches.push({ path: ['rateLimits', index], problem });
    } else if (key !== undefined) firstByLimit.set(key, index);
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

/** Equal for limits that are the same; undefined where a part of it is at fault. */
function samenessKey(limit: unknown): string | undefined {
  const values = sameness.map((key) => valueAt(limit, [key]));
  if (values.some((value) => typeof value !== 'string' && value !== null)) return undefined;
  const isWindow = valueAt(limit, ['strategy']) === 'sliding-window';
  return JSON.stringify(isWindow ? [...values, valueAt(limit, ['windowMs'])] : values);
}

function entriesOf(list: unknown): [index: number, entry: unknown][] {
  return Array.isArray(list) ? [...list.entries()] : [];
}
