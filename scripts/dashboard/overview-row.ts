import { heatmap, lines, stat, steps, type Panel } from './panels.ts';
import { inPool, of, perSecond, quantile } from './queries.ts';

const latency = of('websocket_latency_seconds_bucket');
const errors = of('websocket_errors_total');

/** Is it well, and how busy is it. */
export const overviewRow: readonly Panel[] = [
  stat(
    {
      title: 'Gateways up',
      description: 'How many gateways Prometheus can scrape.',
      unit: 'none',
      runbook: 'gateway-down',
    },
    `sum(${of('up')})`,
    [
      [null, 'red'],
      [1, 'green'],
    ],
  ),
  stat(
    {
      title: 'Alerts firing',
      description: 'Of metrics/prometheus/alerts.yml, where Prometheus has loaded it.',
      unit: 'none',
    },
    'count(ALERTS{alertname=~"Wsluice.*", alertstate="firing", instance=~"$instance"}) or vector(0)',
    steps(1, 3),
  ),
  stat(
    { title: 'Clients', description: 'Client connections open now, on all gateways.', unit: 'short' },
    `sum(${of('websocket_connections_total')})`,
  ),
  stat(
    {
      title: 'Of the cap',
      description: 'Clients as a share of listen.maxConnections, on the fullest gateway.',
      unit: 'percentunit',
      runbook: 'connections-near-the-cap',
    },
    `max(${of('websocket_connections_total')} / ${of('wsluice_connections_max')})`,
    steps(0.8, 0.95),
  ),
  stat(
    { title: 'From clients', description: 'Messages a second that come from clients.', unit: 'mps' },
    `sum(${perSecond(of('websocket_messages_received_total'))})`,
  ),
  stat(
    {
      title: 'P99 of replies',
      description: 'From the frame of the client to the reply being sent; one in a hundred takes longer.',
      unit: 's',
      runbook: 'high-latency',
    },
    quantile(0.99, latency),
    steps(0.1, 0.5),
  ),
  stat(
    {
      title: 'Errors a minute',
      description: 'Of all types, without what rate limits refuse and clients that vanish.',
      unit: 'none',
      runbook: 'errors',
    },
    `sum(${perSecond(of('websocket_errors_total', 'type!~"rate-limited|heartbeat"'))}) * 60`,
    steps(1, 10),
  ),
  stat(
    {
      title: 'Fullest pool',
      description: 'The share of its capacity that the fullest pool has in use.',
      unit: 'percentunit',
      runbook: 'pool-exhausted',
    },
    `max(${inPool('wsluice_pool_used_ratio')})`,
    steps(0.7, 0.9),
  ),
  lines(
    {
      title: 'Clients',
      description: 'Client connections open now, and listen.maxConnections.',
      unit: 'short',
      runbook: 'connections-near-the-cap',
    },
    [
      { expr: of('websocket_connections_total'), legend: '{{instance}}' },
      { expr: `max(${of('wsluice_connections_max')})`, legend: 'cap' },
    ],
  ),
  lines({ title: 'Messages', description: 'Messages a second, by direction.', unit: 'mps' }, [
    { expr: `sum(${perSecond(of('websocket_messages_received_total'))})`, legend: 'from clients' },
    { expr: `sum(${perSecond(of('websocket_messages_sent_total'))})`, legend: 'to clients' },
  ]),
  lines(
    {
      title: 'Time to reply',
      description: 'From the frame of a client to the reply being sent, by share of replies.',
      unit: 's',
      runbook: 'high-latency',
    },
    [
      { expr: quantile(0.5, latency), legend: 'P50' },
      { expr: quantile(0.95, latency), legend: 'P95' },
      { expr: quantile(0.99, latency), legend: 'P99' },
      {
        expr: `sum(${perSecond(of('websocket_latency_seconds_sum'))}) / sum(${perSecond(of('websocket_latency_seconds_count'))})`,
        legend: 'average',
      },
    ],
    { limit: 0.1 },
  ),
  heatmap(
    {
      title: 'Spread of the time to reply',
      description: 'How many replies a second take how long.',
      unit: 's',
      runbook: 'high-latency',
    },
    `sum by (le) (${perSecond(latency)})`,
  ),
  lines(
    {
      title: 'Errors a minute',
      description: 'By type; docs/errors.md says what each means.',
      unit: 'none',
      runbook: 'errors',
    },
    [{ expr: `sum by (type) (${perSecond(errors)}) * 60`, legend: '{{type}}' }],
    { limit: 10 },
  ),
  lines(
    {
      title: 'Refused a minute',
      description: 'Clients that were not let in, by reason.',
      unit: 'none',
      runbook: 'no-upstream',
    },
    [
      {
        expr: `sum by (reason) (${perSecond(of('websocket_rejected_total'))}) * 60`,
        legend: '{{reason}}',
      },
    ],
  ),
  lines({ title: 'Traffic', description: 'Bytes of messages a second, by direction.', unit: 'Bps' }, [
    { expr: `sum(${perSecond(of('websocket_bytes_received_total'))})`, legend: 'from clients' },
    { expr: `sum(${perSecond(of('websocket_bytes_sent_total'))})`, legend: 'to clients' },
  ]),
  lines(
    {
      title: 'Error share',
      description: 'Errors as a share of the messages that clients send, by gateway.',
      unit: 'percentunit',
      runbook: 'errors',
    },
    [
      {
        expr: `sum by (instance) (${perSecond(of('websocket_errors_total', 'type!~"rate-limited|heartbeat"'))}) / sum by (instance) (${perSecond(of('websocket_messages_received_total'))})`,
        legend: '{{instance}}',
      },
    ],
    { limit: 0.05 },
  ),
];
