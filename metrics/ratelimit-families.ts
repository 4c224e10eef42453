import { Gauge, type Registry } from 'prom-client';
import { registerCounter, registerGauge } from './families.ts';

/** What the limits count, of every scope and decision, those at 0 too. Figures of one label set add up. */
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
    read: () => Array.from(read().decisions, ([scope, decision, count]) => [{ scope, decision }, count]),
  });
  registerGauge(registry, {
    name: 'wsluice_ratelimit_keys',
    help: 'Clients, addresses and the like that the rate limits keep apart now',
    labels: ['scope'],
    read: () => Array.from(read().keys, ([scope, count]) => [{ scope }, count]),
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
