import type { LatencyFigures, RunResult } from '../../result/run-result.ts';
import { bytesText } from '../../../server/admin/page/format.ts';
import { gatewayCpuUsPerMessage, useOf } from '../process-use.ts';
import { repliesPerSecond } from '../run/throughput-blocks.ts';
import { msText, nsText, percentileText, shareText, unitText } from '../unit-text.ts';

/** A figure that two runs have both, and what is better of it. */
export interface Difference {
  readonly group: string;
  readonly name: string;
  readonly a: number;
  readonly b: number;
  readonly better: 'more' | 'less';
  readonly text: (value: number) => string;
}

/** A figure of one run. */
type Figure = Pick<Difference, 'name' | 'better' | 'text'> & { readonly value: number | null | undefined };

const shownPercentiles = ['50', '90', '95', '99', '99.9', '99.99', '100'];
const perSecond = (value: number): string => unitText('per second', value);
const microseconds = (value: number): string => `${value.toFixed(2)} µs`;
const ratioText = (value: number): string => `${value.toFixed(2)}×`;

/** All figures that both have, in the order of a report. */
export function differencesOf(a: RunResult, b: RunResult): Difference[] {
  return groups.flatMap(([group, figuresOf]) => {
    const others = new Map(figuresOf(b).map((figure) => [figure.name, figure.value]));
    return figuresOf(a).flatMap(({ value, ...figure }): Difference[] => {
      const other = others.get(figure.name);
      const inBoth = typeof value === 'number' && typeof other === 'number';
      return inBoth ? [{ group, ...figure, a: value, b: other }] : [];
    });
  });
}

const groups: readonly (readonly [string, (result: RunResult) => Figure[]])[] = [
  ['Response times', ({ latency }) => percentiles(latency)],
  ['Handshakes', ({ handshake }) => percentiles(handshake)],
  ['Throughput and errors', wholeRun],
  ['Gateway', gateway],
  ['Stages', stages],
  ['Servers', contestants],
  ['Ratios', ratios],
  ['Micro-benches', benches],
];

function percentiles(latency: LatencyFigures | null): Figure[] {
  return shownPercentiles.map((percentile) => ({
    ...{ name: percentileText(percentile), better: 'less', text: msText },
    value: latency?.percentilesMs[percentile],
  }));
}

function wholeRun(result: RunResult): Figure[] {
  const { totals } = result;
  const share = totals === null || totals.sent === 0 ? null : totals.failed / totals.sent;
  const passed = result.stages.flatMap((stage) => (stage.passed === true ? [stage.repliesPerSecond] : []));
  const most = passed.length === 0 ? null : Math.max(...passed);
  return [
    { name: 'most replies per second that passed', value: most, better: 'more', text: perSecond },
    { name: 'replies per second', value: repliesPerSecond(result), better: 'more', text: perSecond },
    { name: 'errors per message sent', value: share, better: 'less', text: shareText },
  ];
}

function gateway(result: RunResult): Figure[] {
  const memory = useOf(result, 'gateway')?.mostBytes;
  return [
    { name: 'CPU per message', value: gatewayCpuUsPerMessage(result), better: 'less', text: microseconds },
    { name: 'most memory', value: memory, better: 'less', text: (value) => bytesText(value) },
  ];
}

function stages(result: RunResult): Figure[] {
  const names = result.stages.map(({ name }) => name);
  // Steps of a search have no name of their own, and nothing to be compared with.
  const named = result.stages.filter(({ name }) => names.indexOf(name) === names.lastIndexOf(name));
  return named.flatMap(({ name, repliesPerSecond: value, latencyMs }): Figure[] => [
    { name: `${name}: replies per second`, value, better: 'more', text: perSecond },
    { name: `${name}: p99`, value: latencyMs?.p99, better: 'less', text: msText },
  ]);
}

function contestants({ comparison }: RunResult): Figure[] {
  return (comparison?.contestants ?? []).flatMap((contestant): Figure[] => {
    const who = `${contestant.name}, depth ${contestant.depth}`;
    const { messagesPerSecond, serverCpuUsPerMessage } = contestant;
    return [
      { name: `${who}: messages per second`, value: messagesPerSecond, better: 'more', text: perSecond },
      { name: `${who}: CPU per message`, value: serverCpuUsPerMessage, better: 'less', text: microseconds },
    ];
  });
}

function ratios({ comparison }: RunResult): Figure[] {
  return (comparison?.ratios ?? []).map(({ name, against, depth, ratio }) => ({
    ...{ name: `${name} ÷ ${against}, depth ${depth}`, value: ratio, better: 'more', text: ratioText },
  }));
}

function benches(result: RunResult): Figure[] {
  return result.benches.map(({ group, name, ns }) => ({
    ...{ name: `${group}: ${name}`, value: ns, better: 'less', text: nsText },
  }));
}
