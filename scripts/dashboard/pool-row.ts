import { lines, states, type Panel } from './panels.ts';
import { inPool, perSecond, quantile } from './queries.ts';

const upstreamLatency = inPool('wsluice_upstream_latency_seconds_bucket');
const byPool = (series: string, unit = ''): string => `sum by (pool) (${series})${unit}`;

/** The upstream side: is there room, and are the backends well. */
export const poolRow: readonly Panel[] = [
  lines(
    {
      title: 'In use',
      description:
        'The share of its capacity that a pool has in use: connections in session mode, requests in flight in request mode, streams in mux mode.',
      unit: 'percentunit',
      runbook: 'pool-exhausted',
    },
    [{ expr: inPool('wsluice_pool_used_ratio'), legend: '{{pool}} on {{instance}}' }],
    { limit: 0.9, max: 1 },
  ),
  lines(
    {
      title: 'Upstream connections',
      description: 'By pool and state, on all gateways, and what maxConnections allows.',
      unit: 'short',
    },
    [
      {
        expr: `sum by (pool, state) (${inPool('wsluice_pool_connections')})`,
        legend: '{{pool}} {{state}}',
      },
      { expr: byPool(inPool('wsluice_pool_max_connections')), legend: '{{pool}} at most' },
    ],
  ),
  lines(
    {
      title: 'In flight and waiting',
      description: 'Requests unanswered upstream, and what waits for room, by pool.',
      unit: 'short',
      runbook: 'pool-exhausted',
    },
    [
      { expr: byPool(inPool('wsluice_pool_in_flight')), legend: '{{pool}} in flight' },
      { expr: byPool(inPool('wsluice_pool_waiting')), legend: '{{pool}} waiting' },
    ],
  ),
  lines(
    {
      title: 'Time of the upstreams',
      description: 'From a request being written upstream to its reply, by pool.',
      unit: 's',
      runbook: 'high-latency',
    },
    [
      { expr: quantile(0.5, upstreamLatency, ['pool']), legend: '{{pool}} P50' },
      { expr: quantile(0.99, upstreamLatency, ['pool']), legend: '{{pool}} P99' },
    ],
  ),
  states(
    {
      title: 'Circuit breakers',
      description: 'Whether each upstream is used, left alone, or tried again.',
      runbook: 'breaker-open',
    },
    { expr: inPool('wsluice_breaker_state'), legend: '{{pool}} {{upstream}} on {{instance}}' },
    [
      [0, 'closed', 'green'],
      [1, 'open', 'red'],
      [2, 'half-open', 'orange'],
    ],
  ),
  states(
    {
      title: 'Pools',
      description: 'Whether each pool can reach an upstream, and is not paused.',
      runbook: 'no-upstream',
    },
    {
      expr: `${inPool('wsluice_pool_healthy')} + 2 * ${inPool('wsluice_pool_paused')}`,
      legend: '{{pool}} on {{instance}}',
    },
    [
      [0, 'no upstream', 'red'],
      [1, 'well', 'green'],
      [2, 'paused, no upstream', 'red'],
      [3, 'paused', 'orange'],
    ],
  ),
  lines(
    {
      title: 'Requests',
      description: 'Requests a second that were accepted, and how they ended: each ends exactly once.',
      unit: 'reqps',
    },
    [
      { expr: `sum(${perSecond(inPool('wsluice_requests_accepted_total'))})`, legend: 'accepted' },
      {
        expr: `sum by (end) (${perSecond(inPool('wsluice_requests_ended_total'))})`,
        legend: '{{end}}',
      },
    ],
  ),
  lines(
    {
      title: 'Slow requests a minute',
      description: 'Slower than log.slowRequestMs; the log has a sample of them.',
      unit: 'none',
      runbook: 'slow-requests',
    },
    [{ expr: byPool(perSecond(inPool('wsluice_slow_requests_total')), ' * 60'), legend: '{{pool}}' }],
    { limit: 10 },
  ),
  lines(
    {
      title: 'Lost and sent again a minute',
      description:
        'Upstream connections that ended without being asked to, and requests sent again, by pool.',
      unit: 'none',
      runbook: 'disconnects',
    },
    [
      { expr: byPool(perSecond(inPool('wsluice_upstream_lost_total')), ' * 60'), legend: '{{pool}} lost' },
      {
        expr: byPool(perSecond(inPool('wsluice_request_retries_total')), ' * 60'),
        legend: '{{pool}} sent again',
      },
    ],
  ),
  lines(
    {
      title: 'Ejected upstreams',
      description: 'Upstreams that get nothing because they fail where their peers do not, by pool.',
      unit: 'none',
      runbook: 'breaker-open',
    },
    [{ expr: byPool(inPool('wsluice_upstream_ejected')), legend: '{{pool}}' }],
    { decimals: 0 },
  ),
  lines(
    {
      title: 'Dropped a minute',
      description: 'Messages of upstreams that belong to no client, by reason.',
      unit: 'none',
    },
    [
      {
        expr: `sum by (pool, reason) (${perSecond(inPool('wsluice_upstream_dropped_total'))}) * 60`,
        legend: '{{pool}} {{reason}}',
      },
    ],
  ),
  lines(
    {
      title: 'Subscriptions and shared calls',
      description:
        'Subscriptions that clients have and that live upstream, and calls a second answered by an identical one.',
      unit: 'short',
    },
    [
      {
        expr: `sum by (pool, side) (${inPool('wsluice_subscriptions')})`,
        legend: '{{pool}} subscriptions, {{side}}',
      },
      { expr: byPool(perSecond(inPool('wsluice_coalesced_total'))), legend: '{{pool}} shared calls' },
    ],
  ),
];
