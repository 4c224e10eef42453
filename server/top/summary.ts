import { bytes, count, duration, milliseconds, percent } from './figures.ts';
import type { ShownSample, ShownSecond, ShownTotals } from './live-shape.ts';
import { sparkline, type Bars } from './sparkline.ts';
import { widthOf, type Line, type Span, type Style } from './spans.ts';
import type { TopState } from './top-state.ts';

/** Where there is to be drawn. */
export interface Canvas {
  readonly width: number;
  readonly bars: Bars;
}

const labelWidth = 10;
/** A narrow terminal shows figures and no bars. */
const leastBars = 8;
const mostBars = 60;

/** A label with figures, and what of each second its bars show. */
interface Row {
  readonly label: string;
  readonly figures: readonly Span[];
  readonly barOf?: (second: ShownSecond) => number;
}

/** The gateway, its clients, what they say and what it costs. */
export function summaryLines(state: TopState, canvas: Canvas): Line[] {
  const head = [titleLine(state, canvas), ...statusLines(state)];
  if (state.latest === undefined) return head;
  const rows = [...trafficRows(state.latest), ...costRows(state.latest), ...totalRows(state.totals)];
  return [...head, [], ...withBars(rows, state.seconds, canvas)];
}

function trafficRows(latest: ShownSample): Row[] {
  const { connections, perSecond, latencyMs } = latest;
  return [
    {
      label: 'clients',
      figures: [
        { text: count(connections.open), style: fullness(connections.open / connections.max) },
        dim(` of ${count(connections.max)}`),
      ],
      barOf: (second) => second.connections.open,
    },
    {
      label: 'messages',
      figures: rate([count(perSecond.received), 'in'], [count(perSecond.sent), 'out']),
      barOf: (second) => second.perSecond.received + second.perSecond.sent,
    },
    {
      label: 'bytes',
      figures: rate([bytes(perSecond.bytesReceived), 'in'], [bytes(perSecond.bytesSent), 'out']),
      barOf: (second) => second.perSecond.bytesReceived + second.perSecond.bytesSent,
    },
    { label: 'latency', figures: latencyFigures(latencyMs), barOf: (second) => second.latencyMs?.p99 ?? 0 },
    {
      label: 'errors',
      figures: errorFigures(latest),
      barOf: (second) => second.perSecond.errors + second.perSecond.rejected,
    },
    {
      label: 'limits',
      figures: refusals(latest),
      barOf: ({ refusedPerSecond }) => sum(Object.values(refusedPerSecond)),
    },
    { label: 'codecs', figures: savings(latest) },
  ];
}

function costRows({ process }: ShownSample): Row[] {
  const { cpuCores, eventLoopUtilization, eventLoopLagMs } = process;
  return [
    {
      label: 'process',
      figures: [
        { text: `${cpuCores.toFixed(2)} cores`, style: eventLoopUtilization > 0.9 ? 'warn' : 'plain' },
        dim('  loop '),
        { text: percent(eventLoopUtilization) },
        dim('  late '),
        { text: milliseconds(eventLoopLagMs), style: eventLoopLagMs > 200 ? 'bad' : 'plain' },
      ],
      barOf: (second) => second.process.cpuCores,
    },
    {
      label: 'memory',
      figures: [
        ...ofAll(process.rssBytes, process.memoryLimitBytes),
        dim('  heap '),
        ...ofAll(process.heapUsedBytes, process.heapLimitBytes),
      ],
    },
  ];
}

function totalRows(totals: ShownTotals | undefined): Row[] {
  if (totals === undefined) return [];
  const { totalRequests, averageResponseTime, p99, slowRequests, errorRate } = totals;
  return [
    {
      label: 'total',
      figures: [
        { text: count(totalRequests) },
        dim(' requests  average '),
        { text: milliseconds(averageResponseTime) },
        dim('  p99 '),
        { text: milliseconds(p99) },
        dim('  slow '),
        { text: count(slowRequests) },
        dim('  errors '),
        { text: percent(errorRate) },
      ],
    },
  ];
}

/** The rows as lines; all bars begin in one column, the newest second at the right. */
function withBars(rows: readonly Row[], seconds: readonly ShownSecond[], { width, bars }: Canvas): Line[] {
  const lines = rows.map(({ label, figures }): Line => [dim(label.padEnd(labelWidth)), ...figures]);
  const begin = 2 + Math.max(...lines.filter((_, index) => rows[index]!.barOf !== undefined).map(widthOf));
  const room = Math.min(width - begin, mostBars);
  if (room < leastBars) return lines;
  return rows.map(({ barOf }, index) => {
    const line = lines[index]!;
    if (barOf === undefined) return line;
    const padding = ' '.repeat(begin - widthOf(line));
    return [...line, { text: padding + sparkline(seconds.map(barOf), room, bars), style: 'good' }];
  });
}

function titleLine({ admin, health, latest }: TopState, { width }: Canvas): Line {
  const name = health === undefined ? 'wsluice' : `wsluice ${health.version}`;
  const left: Line = [{ text: name, style: 'bold' }, dim(`  ${admin}`)];
  const up = health === undefined ? '' : `up ${duration(health.uptimeSeconds * 1_000)}`;
  const time = latest === undefined ? '' : `  ${clockTime(latest.at)}`;
  const right = up + time;
  const room = width - widthOf(left) - right.length;
  return room < 2 ? left : [...left, { text: ' '.repeat(room) }, dim(right)];
}

function statusLines({ lost, health, latest }: TopState): Line[] {
  if (lost !== undefined) return [[{ text: `not heard: ${lost}`, style: 'bad' }]];
  if (latest === undefined) return [[dim('waiting for the first second …')]];
  if (latest.draining) return [[{ text: 'draining: nobody new is let in', style: 'bad' }]];
  if (health === undefined || health.status === 'ok') return [[{ text: 'ok', style: 'good' }]];
  const [first = '', ...others] = health.problems;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return [[{ text: `${health.status}: ${first}${more}`, style: health.status === 'down' ? 'bad' : 'warn' }]];
}

function rate(...figures: readonly (readonly [value: string, what: string])[]): Span[] {
  return figures.flatMap(([value, what], index) => [
    { text: `${index === 0 ? '' : '  '}${value}` },
    dim(`/s ${what}`),
  ]);
}

function latencyFigures(latencyMs: ShownSecond['latencyMs']): Span[] {
  if (latencyMs === null) return [dim('no replies')];
  return (['p50', 'p95', 'p99'] as const).flatMap((name, index) => [
    dim(`${index === 0 ? '' : '  '}${name} `),
    { text: milliseconds(latencyMs[name]) },
  ]);
}

function errorFigures({ perSecond: { errors, rejected } }: ShownSample): Span[] {
  return [
    { text: count(errors), style: errors > 0 ? 'warn' : 'plain' },
    dim('/s  refused '),
    { text: count(rejected), style: rejected > 0 ? 'warn' : 'plain' },
    dim('/s'),
  ];
}

function refusals({ refusedPerSecond }: ShownSample): Span[] {
  const refused = Object.entries(refusedPerSecond).filter(([, perSecond]) => perSecond > 0);
  if (refused.length === 0) return [dim('nothing refused')];
  return refused.flatMap(([scope, perSecond], index) => [
    dim(`${index === 0 ? '' : '  '}${scope} `),
    { text: count(perSecond), style: 'warn' as const },
    dim('/s'),
  ]);
}

function savings({ codecs }: ShownSample): Span[] {
  const used = Object.entries(codecs).filter(([, { plainBytes }]) => plainBytes > 0);
  if (used.length === 0) return [dim('nothing packed')];
  return used.flatMap(([name, { plainBytes, packedBytes }], index) => [
    dim(`${index === 0 ? '' : '  '}${name} `),
    { text: `${bytes(plainBytes)}/s` },
    dim(', '),
    { text: `${percent(1 - packedBytes / plainBytes)} saved`, style: 'good' as const },
  ]);
}

function ofAll(usedBytes: number, limitBytes: number): Span[] {
  return [
    { text: bytes(usedBytes), style: fullness(usedBytes / limitBytes) },
    dim(` of ${bytes(limitBytes)}`),
  ];
}

function fullness(share: number): Style {
  if (share > 0.95) return 'bad';
  return share > 0.8 ? 'warn' : 'plain';
}

function clockTime(unixMs: number): string {
  const date = new Date(unixMs);
  if (Number.isNaN(date.getTime())) return '';
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, '0'))
    .join(':');
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function dim(text: string): Span {
  return { text, style: 'dim' };
}
