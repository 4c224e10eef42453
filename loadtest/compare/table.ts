import { availableParallelism } from 'node:os';
import type { Comparison } from './compare.ts';
import { aligned } from '../result/aligned.ts';
import { isNoisy } from './figures.ts';
import type { Figures } from './figures.ts';

const full = 0.93;
const columns = [
  '',
  'messages/s',
  'p50 ms',
  'p99 ms',
  'µs CPU/msg',
  'cores: loader',
  'server',
  'backend',
  'others',
  'upstream',
  'saturated',
];

/** Returns one line: what was compared, the ratio of round trips per second, the goal, and the ratio of CPU per message. */
export function ratioLine(subject: string, { a, b, depth, clients }: Comparison, goal?: number): string {
  const ratio = a.messagesPerSecond / b.messagesPerSecond;
  const cpu = b.serverCpuUsPerMessage / a.serverCpuUsPerMessage;
  const wanted =
    goal === undefined ? 'no goal' : `goal ≥ ${goal.toFixed(2)}: ${ratio >= goal ? 'met' : 'missed'}`;
  const who = `${subject} ÷ ${b.server}, depth ${depth}, ${grouped(clients)} clients`;
  return `${who}: ${ratio.toFixed(2)}× (${wanted}); messages per CPU second ${cpu.toFixed(2)}×`;
}

/** Returns the medians of a comparison as aligned columns under a header. */
export function figuresTable({ a, b }: Comparison): string {
  const table = aligned([columns, ...[a, b].map(row)]);
  const noisy = [a, b].some(isNoisy);
  return noisy ? `${table}\n  Other programs were using the machine: do not trust these figures.` : table;
}

/** Returns one line about one run. */
export function runLine(figures: Figures): string {
  return `${figures.server}, depth ${figures.depth}: ${grouped(figures.messagesPerSecond)} messages/s`;
}

/** Returns which process used up its core; all of them together may have used up the machine. */
export function saturated({ cores }: Figures, machineCores = availableParallelism()): string {
  const busy = Object.entries(cores).filter(([, used]) => used >= full);
  if (busy.length > 0) return busy.map(([name]) => name).join(' + ');
  const total = cores.loader + cores.server + cores.backend + cores.others;
  return total >= full * machineCores ? 'the machine' : 'none';
}

function row(figures: Figures): string[] {
  const { cores } = figures;
  return [
    figures.server,
    grouped(figures.messagesPerSecond),
    (figures.p50Us / 1000).toFixed(2),
    (figures.p99Us / 1000).toFixed(2),
    figures.serverCpuUsPerMessage.toFixed(2),
    cores.loader.toFixed(2),
    cores.server.toFixed(2),
    cores.backend.toFixed(2),
    cores.others.toFixed(2),
    figures.upstreamConnections === undefined ? '–' : grouped(figures.upstreamConnections),
    saturated(figures),
  ];
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en');
}
