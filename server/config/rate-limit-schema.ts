import { z } from 'zod';
import { filledText, milliseconds, oneOf, whole, withRule, type Breach } from './scalars.ts';

const entry = z.strictObject({
  scope: oneOf(['global', 'connection', 'ip', 'identity', 'route', 'method']).meta({
    description: 'What shares one allowance.',
  }),
  strategy: oneOf(['token-bucket', 'leaky-bucket', 'sliding-window']).meta({
    description: 'How requests are counted.',
  }),
  requestsPerSecond: z.number().gt(0).max(1e9).meta({ description: 'Requests per second in the long run.' }),
  burst: whole(1, 1_000_000_000)
    .nullable()
    .default(null)
    .meta({ description: 'Requests that a bucket holds; null = those of one second.' }),
  windowMs: milliseconds(10)
    .default(1_000)
    .meta({ description: 'Milliseconds that a sliding window spans.' }),
  match: filledText('a method name or route path').nullable().default(null).meta({
    description:
      'The method (scope method) or route path (scope route) it applies to; null = each route by itself.',
  }),
  onExceed: oneOf(['reject', 'drop', 'close', 'delay'])
    .default('reject')
    .meta({ description: 'What happens to a request above the limit.' }),
  blockMs: milliseconds(0, 86_400_000)
    .default(0)
    .meta({ description: 'Milliseconds for which everything is refused once the limit is passed.' }),
  dryRun: z
    .boolean()
    .default(false)
    .meta({ description: 'Count what would be refused, and refuse nothing.' }),
});

export const rateLimitSchema = withRule(entry, ['scope', 'match'], ({ scope, match }): Breach[] => {
  if (scope === 'method' && match === null) {
    return [{ path: ['match'], problem: 'is not the name of a method, which scope method needs' }];
  }
  if (match === null || scope === 'method' || scope === 'route') return [];
  return [{ path: ['match'], problem: `has no meaning for scope ${scope}; it belongs to method and route` }];
});
