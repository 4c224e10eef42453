import { Gauge, type Registry } from 'prom-client';
import { registerCounter, registerGauge } from './families.ts';

/** What shares an allowance. */
export const rateLimitScopes = ['global', 'connection', 'ip', 'identity', 'route', 'method'] as const;

/** What a limit can decide. */
export const rateLimitDecisions = ['allowed', 'rejected', 'dropped', 'closed', 'delayed', 'dry_run'] as const;

/** What the limits count. Figures of one label set add up; those that are left out are 0. */
export interface RateLimitFigures {
  readonly decisions: Iterable<readonly [scope: string, decision: string, count: number]>;
  readonly keys: Iterable<readonly [scope: string, count: number]>;
  /** Whether Redis shares the limits now; undefined where none is configured. */
  readonly sharedUp: boolean | undefined;
}

/** Publishes what `read` returns at each scrape. */
export function registerRateLimitFamilies(registry: Registry, read: () => RateLimitFigures): void {
  registerCounter(registry, {
    name: 'wsluice_ratelimit_decisions_total',
    help: 'Decisions of the rate limits, by their scope',
    labels: ['scope', 'decision'],
    read: () =>
      [...noDecisions(), ...read().decisions].map(([scope, decision, count]) => [{ scope, decision }, count]),
  });
  registerGauge(registry, {
    name: 'wsluice_ratelimit_keys',
    help: 'Clients, addresses and the like that the rate limits keep apart now',
    labels: ['scope'],
    read: () =>
      [...rateLimitScopes.map((scope) => [scope, 0] as const), ...read().keys].map(([scope, count]) => [
        { scope },
        count,
      ]),
  });
  const sharedUp = new Gauge({
    name: 'wsluice_ratelimit_shared_up',
    help: 'Whether Redis shares the rate limits now; absent where none is configured',
    registers: [registry],
    collect() {
      const up = read().sharedUp;
      if (up === undefined) sharedUp.remove();
      else sharedUp.set(up ? 1 : 0);
    },
  });
}

function noDecisions(): (readonly [scope: string, decision: string, count: number])[] {
  return rateLimitScopes.flatMap((scope) =>
    rateLimitDecisions.map((decision) => [scope, decision, 0] as const),
  );
}
