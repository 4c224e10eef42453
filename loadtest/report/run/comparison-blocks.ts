import type { Comparison, RunResult } from '../../result/run-result.ts';
import { countText } from '../../../server/admin/page/format.ts';
import type { Bar, Bars, Block, Table } from '../report-page.ts';
import { msText } from '../unit-text.ts';

type Contestant = Comparison['contestants'][number];

/** Servers beside each other: bars for each depth and what clients say, ratios with their goals, and all figures. */
export function comparisonBlocks({ comparison }: RunResult): Block[] {
  if (comparison === null) return [];
  const { contestants } = comparison;
  const loads = [...new Set(contestants.map(loadOf))];
  return [
    ...loads.flatMap((load) =>
      barsOf(
        load,
        contestants.filter((contestant) => loadOf(contestant) === load),
      ),
    ),
    ...ratioBars(comparison),
    table(comparison),
  ];
}

/** Only servers that were asked the same can be compared. */
function loadOf({ depth, protocol }: Contestant): string {
  return protocol === undefined ? `depth ${depth}` : `depth ${depth}; ${protocol}`;
}

function barsOf(load: string, contestants: readonly Contestant[]): Bars[] {
  return [
    {
      kind: 'bars',
      title: `Messages per second, ${load}`,
      bars: contestants.map((contestant) => ({
        label: contestant.name,
        value: contestant.messagesPerSecond,
        text: `${countText(contestant.messagesPerSecond)}${loaderNote(contestant)}`,
      })),
      note: 'More is better.',
    },
    {
      kind: 'bars',
      title: `CPU of the server per message, ${load}`,
      bars: contestants.map(({ name, serverCpuUsPerMessage }) => ({
        label: name,
        value: serverCpuUsPerMessage,
        text: `${serverCpuUsPerMessage.toFixed(2)} µs`,
      })),
      note: 'Less is better.',
    },
  ];
}

/** What a server does when the loader is full is what the loader does. */
function loaderNote({ saturated }: Contestant): string {
  return /\bloader\b/.test(saturated) ? ' or more: the loader was full' : '';
}

function ratioBars({ ratios }: Comparison): Bars[] {
  if (ratios.length === 0) return [];
  return [
    {
      kind: 'bars',
      title: 'Ratios of messages per second',
      wide: true,
      bars: ratios.map((ratio): Bar => {
        const label = `${ratio.name} ÷ ${ratio.against}, depth ${ratio.depth}`;
        if (ratio.ratio === null)
          return {
            label,
            value: null,
            text: `not said: ${ratio.refused ?? 'it would mislead'}`,
            mood: 'warn',
          };
        const cpu = ratio.perCpuSecond ?? null;
        const text = `${ratio.ratio.toFixed(2)}×${cpu === null ? '' : `, ${cpu.toFixed(2)}× per CPU second`}`;
        if (ratio.goal === null) return { label, value: ratio.ratio, text };
        const met = ratio.ratio >= ratio.goal;
        return {
          ...{ label, value: ratio.ratio, goal: ratio.goal, mood: met ? 'good' : 'bad' },
          text: `${text} (goal ≥ ${ratio.goal.toFixed(2)}: ${met ? 'met' : 'missed'})`,
        };
      }),
      note: 'A line across a bar is its goal.',
    },
  ];
}

function table({ contestants }: Comparison): Table {
  const upstream = contestants.some(({ upstreamConnections }) => upstreamConnections !== null);
  const head = [
    ...['Server', 'Depth', 'Messages/s', 'p50', 'p99', 'CPU µs/message'],
    ...['Cores: loader', 'Server', 'Backend', 'Others'],
    ...(upstream ? ['Upstream connections'] : []),
    'Full',
  ];
  const rows = contestants.map((contestant) => {
    const { cores, upstreamConnections } = contestant;
    return [
      contestant.name,
      String(contestant.depth),
      countText(contestant.messagesPerSecond),
      msText(contestant.p50Ms),
      msText(contestant.p99Ms),
      contestant.serverCpuUsPerMessage.toFixed(2),
      ...[cores.loader, cores.server, cores.backend, cores.others].map((value) => value.toFixed(2)),
      ...(upstream ? [upstreamConnections === null ? '–' : countText(upstreamConnections)] : []),
      contestant.saturated,
    ];
  });
  const numbers = head.map((_, index) => index).slice(1, -1);
  return { kind: 'table', title: 'All figures', head, rows, numbers };
}
