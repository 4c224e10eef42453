import type { Registry } from 'prom-client';
import { registerCounter, registerGauge, registerHistogram } from './families.ts';
import type { Sample } from './families.ts';
import type { PoolSnapshot } from './pool-snapshot.ts';

/** Publishes the snapshots that `pools` returns at each scrape. */
export function registerPoolFamilies(registry: Registry, pools: () => readonly PoolSnapshot[]): void {
  const perPool = (read: (pool: PoolSnapshot) => number) => () =>
    pools().map((pool): Sample => [{ pool: pool.name }, read(pool)]);
  const perPoolAnd = (label: string, read: (pool: PoolSnapshot) => Readonly<Record<string, number>>) => () =>
    pools().flatMap((pool) =>
      Object.entries(read(pool)).map(([value, count]): Sample => [
        { pool: pool.name, [label]: value },
        count,
      ]),
    );

  const perUpstream = (read: (endpoint: PoolSnapshot['endpoints'][number]) => number) => () =>
    pools().flatMap(({ name, endpoints }) =>
      endpoints.map((endpoint): Sample => [{ pool: name, upstream: endpoint.upstream }, read(endpoint)]),
    );

  registerGauge(registry, {
    name: 'wsluice_pool_connections',
    help: 'Upstream connections now, by state',
    labels: ['pool', 'state'],
    read: perPoolAnd('state', ({ connections }) => ({
      dialing: connections.dialing,
      idle: connections.idle,
      busy: connections.busy,
      draining: connections.draining,
    })),
  });
  registerGauge(registry, {
    name: 'wsluice_pool_in_flight',
    help: 'Requests unanswered upstream now',
    labels: ['pool'],
    read: perPool((pool) => pool.inFlight),
  });
  registerGauge(registry, {
    name: 'wsluice_pool_waiting',
    help: 'Requests or clients queued for an upstream connection now',
    labels: ['pool'],
    read: perPool((pool) => pool.waiting),
  });
  registerGauge(registry, {
    name: 'wsluice_pool_max_connections',
    help: 'The most upstream connections there may be',
    labels: ['pool'],
    read: perPool((pool) => pool.maxConnections),
  });
  registerGauge(registry, {
    name: 'wsluice_pool_used_ratio',
    help: 'Share in use now of what the pool can carry: connections in session mode, requests or streams otherwise',
    labels: ['pool'],
    read: perPool((pool) => pool.usedRatio),
  });
  registerGauge(registry, {
    name: 'wsluice_pool_paused',
    help: '1 while an operator holds the pool back',
    labels: ['pool'],
    read: perPool((pool) => (pool.paused ? 1 : 0)),
  });
  registerGauge(registry, {
    name: 'wsluice_pool_healthy',
    help: '0 while every upstream is known to be out of reach',
    labels: ['pool'],
    read: perPool((pool) => (pool.healthy ? 1 : 0)),
  });
  registerGauge(registry, {
    name: 'wsluice_breaker_state',
    help: 'State of the circuit breaker now: 0 closed, 1 open, 2 half-open',
    labels: ['pool', 'upstream'],
    read: perUpstream(({ breaker }) => breaker),
  });
  registerGauge(registry, {
    name: 'wsluice_upstream_ejected',
    help: '1 while the upstream is ejected because it fails where others do not',
    labels: ['pool', 'upstream'],
    read: perUpstream(({ ejected }) => (ejected ? 1 : 0)),
  });
  registerGauge(registry, {
    name: 'wsluice_subscriptions',
    help: 'Subscriptions now: what clients have, and what lives upstream',
    labels: ['pool', 'side'],
    read: perPoolAnd('side', ({ subscriptions: { client, upstream } }) => ({ client, upstream })),
  });
  registerCounter(registry, {
    name: 'wsluice_coalesced_total',
    help: 'Calls answered by an identical one that was in flight',
    labels: ['pool'],
    read: perPool((pool) => pool.coalesced),
  });
  registerHistogram(registry, {
    name: 'wsluice_upstream_latency_seconds',
    help: 'Time from a request being written upstream to its reply',
    read: () => pools().map((pool) => [{ pool: pool.name }, pool.upstreamLatency]),
  });
  registerCounter(registry, {
    name: 'wsluice_requests_accepted_total',
    help: 'Requests accepted; each ends exactly once',
    labels: ['pool'],
    read: perPool((pool) => pool.accepted),
  });
  registerCounter(registry, {
    name: 'wsluice_requests_ended_total',
    help: 'Accepted requests that ended, by how',
    labels: ['pool', 'end'],
    read: perPoolAnd('end', ({ replied, errored, abandoned }) => ({ replied, errored, abandoned })),
  });
  registerCounter(registry, {
    name: 'wsluice_upstream_dropped_total',
    help: 'Upstream messages dropped because they belong to no client, by reason',
    labels: ['pool', 'reason'],
    read: perPoolAnd('reason', (pool) => ({
      'unknown-id': pool.droppedUnknownId,
      unowned: pool.droppedUnowned,
      malformed: pool.droppedMalformed,
    })),
  });
  registerCounter(registry, {
    name: 'wsluice_upstream_lost_total',
    help: 'Upstream connections that ended without being asked to',
    labels: ['pool'],
    read: perPool((pool) => pool.upstreamsLost),
  });
  registerCounter(registry, {
    name: 'wsluice_slow_requests_total',
    help: 'Requests that took log.slowRequestMs or longer, or had no answer in time',
    labels: ['pool'],
    read: perPool((pool) => pool.slow),
  });
  registerCounter(registry, {
    name: 'wsluice_request_retries_total',
    help: 'Requests sent again over another upstream connection',
    labels: ['pool'],
    read: perPool((pool) => pool.retries),
  });
}
