import { lines, states, type Panel } from './panels.ts';
import { of, perSecond } from './queries.ts';

const decisions = of('wsluice_ratelimit_decisions_total');
const refusals = of('wsluice_ratelimit_decisions_total', 'decision=~"rejected|dropped|closed"');

/** What the rate limits do. */
export const limitsRow: readonly Panel[] = [
  lines(
    { title: 'Decisions', description: 'Of all rate limits, a second, by decision.', unit: 'ops' },
    [{ expr: `sum by (decision) (${perSecond(decisions)})`, legend: '{{decision}}' }],
    { stacked: true },
  ),
  lines(
    {
      title: 'Refused',
      description: 'Messages and clients a second that were refused, by the scope of the limit.',
      unit: 'ops',
      runbook: 'limiter-refusing',
    },
    [{ expr: `sum by (scope) (${perSecond(refusals)})`, legend: '{{scope}}' }],
    { limit: 1 },
  ),
  lines(
    {
      title: 'Share refused',
      description: 'What was refused as a share of what was decided, by scope.',
      unit: 'percentunit',
      runbook: 'limiter-refusing',
      width: 8,
    },
    [
      {
        expr: `sum by (scope) (${perSecond(refusals)}) / sum by (scope) (${perSecond(decisions)})`,
        legend: '{{scope}}',
      },
    ],
    { max: 1 },
  ),
  lines(
    {
      title: 'Keys',
      description: 'Clients, addresses, identities and the like that are told apart now.',
      unit: 'short',
      width: 8,
    },
    [{ expr: `sum by (scope) (${of('wsluice_ratelimit_keys')})`, legend: '{{scope}}' }],
  ),
  states(
    {
      title: 'Redis',
      description: 'Whether limits are shared between gateways; empty where no Redis is configured.',
      runbook: 'redis-down',
      width: 8,
    },
    { expr: of('wsluice_ratelimit_shared_up'), legend: '{{instance}}' },
    [
      [0, 'lost', 'red'],
      [1, 'shared', 'green'],
    ],
  ),
];
