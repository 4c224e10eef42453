import type { LiveHistorySample } from '../../live/live-sample.ts';
import { byteRateText, bytesText, countText, msText, percentText, rateText } from './format.ts';
import type { TimeChartOptions } from './time-chart.ts';

/** The charts whose lines are the same for every gateway. */
export const steadyCharts: readonly TimeChartOptions[] = [
  {
    title: 'Connections',
    lines: [{ label: 'clients open', of: ({ connections }) => connections.open }],
    note: ({ connections: { open, max } }) => `${percentText(open / max)} of ${countText(max)}`,
    text: (value) => (value === null ? '–' : countText(value)),
    scaleText: rateText,
    minMax: 4,
  },
  {
    title: 'Messages per second',
    lines: [
      { label: 'from clients', of: ({ perSecond }) => perSecond.received },
      { label: 'to clients', of: ({ perSecond }) => perSecond.sent },
    ],
    text: rateText,
  },
  {
    title: 'Latency',
    lines: [
      { label: 'p50', of: ({ latencyMs }) => latencyMs?.p50 ?? null },
      { label: 'p95', of: ({ latencyMs }) => latencyMs?.p95 ?? null },
      { label: 'p99', of: ({ latencyMs }) => latencyMs?.p99 ?? null },
    ],
    text: msText,
    minMax: 0.1,
  },
  {
    title: 'Errors per second',
    lines: [
      { label: 'errors', of: ({ perSecond }) => perSecond.errors },
      { label: 'clients not let in', of: ({ perSecond }) => perSecond.rejected },
    ],
    text: rateText,
  },
  {
    title: 'Bytes per second',
    lines: [
      { label: 'from clients', of: ({ perSecond }) => perSecond.bytesReceived },
      { label: 'to clients', of: ({ perSecond }) => perSecond.bytesSent },
    ],
    text: byteRateText,
    scaleText: bytesText,
    minMax: 100,
  },
  {
    title: 'Process',
    lines: [
      { label: 'CPU', of: ({ process }) => process.cpuCores },
      { label: 'loop busy', of: ({ process }) => process.eventLoopUtilization },
    ],
    asides: [{ label: 'loop lag', text: ({ process }) => msText(process.eventLoopLagMs) }],
    note: memoryText,
    text: percentText,
  },
];

/** What the rate limits of these scopes keep out. */
export function limitsChart(scopes: readonly string[]): TimeChartOptions {
  const of = (scope: string) => (sample: LiveHistorySample) => sample.refusedPerSecond[scope] ?? null;
  return {
    title: 'Refused by limits per second',
    lines: scopes.map((scope) => ({ label: scope, of: of(scope) })),
    text: rateText,
  };
}

/** What these codecs save; nothing is said of seconds without a message. */
export function codecsChart(names: readonly string[]): TimeChartOptions {
  const of = (name: string) => (sample: LiveHistorySample) => {
    const { plainBytes, packedBytes } = sample.codecs[name] ?? { plainBytes: 0, packedBytes: 0 };
    return plainBytes === 0 ? null : 1 - packedBytes / plainBytes;
  };
  return {
    title: 'Saved by codecs',
    lines: names.map((name) => ({ label: name, of: of(name) })),
    note: savedText,
    text: percentText,
    max: 1,
  };
}

function savedText({ codecs }: LiveHistorySample): string {
  let saved = 0;
  for (const { plainBytes, packedBytes } of Object.values(codecs)) saved += plainBytes - packedBytes;
  return `${byteRateText(Math.max(0, saved))} less to carry`;
}

function memoryText({ process }: LiveHistorySample): string {
  return `memory ${bytesText(process.rssBytes)} of ${bytesText(process.memoryLimitBytes)}`;
}
