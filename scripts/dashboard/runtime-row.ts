import { labelTable, lines, type Panel } from './panels.ts';
import { of, perSecond, quantile } from './queries.ts';

const lag = of('wsluice_event_loop_lag_seconds_bucket');
const roundTrip = of('wsluice_heartbeat_rtt_seconds_bucket');

/** The process: does it have time, memory and file descriptors left. */
export const runtimeRow: readonly Panel[] = [
  lines(
    {
      title: 'Event loop in use',
      description: 'The share of the time in which the event loop of a worker is busy.',
      unit: 'percentunit',
      runbook: 'high-cpu',
    },
    [
      {
        expr: perSecond(of('wsluice_worker_busy_seconds_total')),
        legend: '{{instance}} worker {{worker}}',
      },
    ],
    { limit: 0.8, max: 1 },
  ),
  lines(
    {
      title: 'Event-loop lag',
      description: 'How late timers run, and every message with them, by gateway.',
      unit: 's',
      runbook: 'event-loop-lag',
    },
    [
      { expr: quantile(0.5, lag, ['instance']), legend: '{{instance}} P50' },
      { expr: quantile(0.99, lag, ['instance']), legend: '{{instance}} P99' },
    ],
    { limit: 0.1 },
  ),
  lines(
    {
      title: 'CPU',
      description: 'Cores in use: the event loop, and the thread pool that packs large messages.',
      unit: 'none',
      runbook: 'high-cpu',
    },
    [
      { expr: perSecond(of('process_cpu_user_seconds_total')), legend: '{{instance}} user' },
      { expr: perSecond(of('process_cpu_system_seconds_total')), legend: '{{instance}} system' },
    ],
  ),
  lines(
    {
      title: 'Garbage collection',
      description: 'The share of the time that goes into it, by kind.',
      unit: 'percentunit',
      runbook: 'memory',
    },
    [
      {
        expr: `sum by (instance, kind) (${perSecond(of('nodejs_gc_duration_seconds_sum'))})`,
        legend: '{{instance}} {{kind}}',
      },
    ],
  ),
  lines(
    {
      title: 'Memory',
      description: 'Resident memory, and the limit of the machine or its cgroup.',
      unit: 'bytes',
      runbook: 'memory',
    },
    [
      { expr: of('process_resident_memory_bytes'), legend: '{{instance}} in use' },
      { expr: of('wsluice_memory_limit_bytes'), legend: '{{instance}} limit' },
    ],
  ),
  lines(
    {
      title: 'JavaScript heap',
      description: 'What objects take, what buffers take beside them, and the limit of the heap.',
      unit: 'bytes',
      runbook: 'memory',
    },
    [
      { expr: of('nodejs_heap_size_used_bytes'), legend: '{{instance}} in use' },
      { expr: of('nodejs_external_memory_bytes'), legend: '{{instance}} buffers' },
      { expr: of('wsluice_heap_limit_bytes'), legend: '{{instance}} limit' },
    ],
  ),
  lines(
    {
      title: 'File descriptors',
      description: 'Each connection takes one; at the limit nobody can connect.',
      unit: 'short',
      runbook: 'connections-near-the-cap',
    },
    [
      { expr: of('process_open_fds'), legend: '{{instance}} open' },
      { expr: of('process_max_fds'), legend: '{{instance}} limit' },
    ],
  ),
  lines(
    {
      title: 'Heartbeat',
      description: 'From a ping to the pong of a client: the network, and how fast clients are.',
      unit: 's',
      runbook: 'disconnects',
    },
    [
      { expr: quantile(0.5, roundTrip), legend: 'P50' },
      { expr: quantile(0.99, roundTrip), legend: 'P99' },
    ],
  ),
  lines(
    { title: 'Clients by worker', description: 'How the clients are spread over workers.', unit: 'short' },
    [{ expr: of('wsluice_worker_connections'), legend: '{{instance}} worker {{worker}}' }],
  ),
  lines({ title: 'Uptime', description: 'Since the process was started.', unit: 's', width: 6 }, [
    { expr: `time() - ${of('process_start_time_seconds')}`, legend: '{{instance}}' },
  ]),
  labelTable(
    { title: 'Versions', description: 'Which version runs where, and on which Node.', width: 6 },
    of('wsluice_build_info'),
    {
      instance: 'Gateway',
      version: 'wsluice',
      node: 'Node',
    },
  ),
];
