import { isNoisy } from '../../loadtest/compare/bottleneck.ts';
import type { Comparison, RunResult } from '../../loadtest/result/run-result.ts';
import { markdownTable, ms, whole } from './markdown.ts';

const protocols: Readonly<Record<string, string>> = {
  echo: '64 bytes of text, echoed',
  jsonrpc: 'JSON-RPC, 73 bytes',
};

const disturbed =
  '**Other programs used the machine while this was measured:** the figures are too low, and their ratios are left out.';

/** Returns a section for each depth: who did how much, and how they compare. */
export function compareSections({ comparison, settings }: RunResult): string[] {
  const { contestants, ratios } = comparison ?? { contestants: [], ratios: [] };
  const depths = [...new Set(contestants.map(({ depth }) => depth))];
  return depths.map((depth) => {
    const at = <T extends { depth: number }>(all: readonly T[]): T[] =>
      all.filter((one) => one.depth === depth);
    return [
      `### ${whole(Number(settings['clients']))} clients, ${depth === 1 ? 'one message' : `${depth} messages`} each under way`,
      contestantTable(at(contestants)),
      ...(at(contestants).some(isNoisy) ? [disturbed] : []),
      ratioTable(at(ratios)),
    ].join('\n\n');
  });
}

function contestantTable(contestants: Comparison['contestants']): string {
  const head = [
    ...['', 'messages', 'a second', 'p50, ms', 'p99, ms', 'µs CPU a message'],
    ...['cores: loader', 'server', 'backend', 'others', 'upstream connections', 'saturated'],
  ];
  const rows = contestants.map(({ name, protocol, cores, ...one }) => [
    `\`${name}\``,
    protocols[protocol ?? ''] ?? '',
    whole(one.messagesPerSecond),
    ms(one.p50Ms),
    ms(one.p99Ms),
    one.serverCpuUsPerMessage.toFixed(2),
    ...[cores.loader, cores.server, cores.backend, cores.others].map((used) => used.toFixed(2)),
    one.upstreamConnections === null ? '–' : whole(one.upstreamConnections),
    one.saturated,
  ]);
  return markdownTable(head, rows);
}

function ratioTable(ratios: Comparison['ratios']): string {
  const rows = ratios.map(({ name, against, ratio, refused, goal, perCpuSecond }) => [
    `\`${name}\` ÷ \`${against}\``,
    ratio === null ? 'none' : `**${ratio.toFixed(2)}**`,
    goal === null ? '' : `≥ ${goal.toFixed(2)}`,
    ratio === null ? (refused ?? '') : goal === null ? '' : ratio >= goal ? 'met' : 'missed',
    typeof perCpuSecond === 'number' ? perCpuSecond.toFixed(2) : '–',
  ]);
  return markdownTable(['', 'ratio', 'goal', 'verdict', 'by CPU'], rows);
}
