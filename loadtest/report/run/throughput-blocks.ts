import type { RunResult, Stage } from '../../result/run-result.ts';
import { bytesText, countText } from '../../../server/admin/page/format.ts';
import { useOf } from '../process-use.ts';
import type { Block, LineChart, Mood, Table } from '../report-page.ts';
import { momentsOf, secondsOfMoments } from '../timeline.ts';
import { msText, shareText, unitText } from '../unit-text.ts';
import { momentNote, spanText } from './drawing.ts';

/** How much went through: the template's table, and second by second. */
export function throughputBlocks(result: RunResult): Block[] {
  return [...throughputTable(result), ...messagesChart(result), ...connectionsChart(result)];
}

/** Replies per second over the whole run; undefined when nothing was sent to a server, or in stages of which each has its own. */
export function repliesPerSecond({ totals, timeline, seconds, stages }: RunResult): number | undefined {
  if (stages.length > 0) return undefined;
  // A short run may have begun near the end of a second of the clock, and be in two.
  const loadSeconds = Math.min(seconds, timeline.at(-1)?.at ?? seconds);
  return totals === null || loadSeconds === 0 ? undefined : totals.received / loadSeconds;
}

function throughputTable(result: RunResult): Table[] {
  const stages = result.stages.length > 0 ? result.stages : wholeRun(result);
  if (stages.length === 0) return [];
  const moods: Record<string, Mood> = {};
  for (const [row, { passed }] of stages.entries())
    if (passed !== null) moods[`${row},State`] = passed ? 'good' : 'bad';
  const columns = columnsOf.filter(({ text }) => stages.some((stage) => text(stage, result) !== ''));
  const stateColumn = columns.findIndex(({ head }) => head === 'State');
  return [
    {
      kind: 'table',
      title: result.stages.length > 0 ? 'Throughput by stage' : 'Throughput',
      head: columns.map(({ head }) => head),
      rows: stages.map((stage) => columns.map(({ text }) => text(stage, result))),
      numbers: columns.flatMap(({ isNumber = true }, index) => (isNumber ? [index] : [])),
      moods: Object.fromEntries(
        Object.entries(moods).map(([place, mood]) => [place.replace('State', String(stateColumn)), mood]),
      ),
    },
  ];
}

interface Column {
  readonly head: string;
  readonly text: (stage: Stage, result: RunResult) => string;
  readonly isNumber?: boolean;
}

const ofCores = (cores: number | null, result: RunResult): string =>
  cores === null ? '' : `${unitText('cores', cores)} of ${result.environment.cores} cores`;

/** A column that no stage has anything for is left out. */
const columnsOf: readonly Column[] = [
  { head: 'Stage', text: ({ name }) => name, isNumber: false },
  { head: 'Connections', text: ({ connections }) => (connections === 0 ? '' : countText(connections)) },
  {
    head: 'Wanted/s',
    text: ({ ratePerSecond }) => (ratePerSecond === null ? '' : unitText('per second', ratePerSecond)),
  },
  { head: 'Replies/s', text: (stage) => unitText('per second', stage.repliesPerSecond) },
  { head: 'p50', text: ({ latencyMs }) => (latencyMs === null ? '' : msText(latencyMs.p50)) },
  { head: 'p99', text: ({ latencyMs }) => (latencyMs === null ? '' : msText(latencyMs.p99)) },
  { head: 'Slowest', text: ({ latencyMs }) => (latencyMs === null ? '' : msText(latencyMs.max)) },
  { head: 'Errors', text: ({ errorShare }) => shareText(errorShare) },
  { head: 'Gateway CPU', text: ({ gatewayCores }, result) => ofCores(gatewayCores, result) },
  {
    head: 'Gateway memory',
    text: (stage) => (stage.gatewayResidentBytes === null ? '' : bytesText(stage.gatewayResidentBytes)),
  },
  {
    head: 'State',
    text: ({ passed }) => (passed === null ? '' : passed ? 'passed' : 'failed'),
    isNumber: false,
  },
];

function wholeRun(result: RunResult): Stage[] {
  const { totals, timeline, latency } = result;
  const rate = repliesPerSecond(result);
  if (totals === null || rate === undefined) return [];
  const gateway = useOf(result, 'gateway');
  const tried = totals.sent + Math.max(0, totals.failed - totals.sent);
  const { '50': p50, '95': p95, '99': p99 } = latency?.percentilesMs ?? {};
  const isKnown = latency !== null && p50 !== undefined && p95 !== undefined && p99 !== undefined;
  return [
    {
      name: '',
      ratePerSecond: null,
      repliesPerSecond: rate,
      connections: Math.max(totals.connected, ...timeline.map(({ open }) => open)),
      errorShare: tried === 0 ? 0 : totals.failed / tried,
      latencyMs: isKnown ? { p50, p95, p99, max: latency.maxMs } : null,
      gatewayCores: gateway?.meanCores ?? null,
      gatewayResidentBytes: gateway?.mostBytes ?? null,
      passed: null,
    },
  ];
}

function messagesChart(result: RunResult): LineChart[] {
  const moments = momentsOf(result);
  const lines = [
    { label: 'sent', ys: moments.map(({ sentPerSecond }) => sentPerSecond) },
    { label: 'received', ys: moments.map(({ receivedPerSecond }) => receivedPerSecond) },
  ];
  if (!lines.some(({ ys }) => ys.some((value) => value > 0))) return [];
  return [
    {
      kind: 'lines',
      ...{ title: 'Messages per second', x: 'seconds', xs: moments.map(({ at }) => at), unit: 'per second' },
      ...{ lines, logarithmic: false },
      summary: lines.map(({ label, ys }) => `${label} ${spanText('per second', ys)}`).join(', '),
      ...momentNote(secondsOfMoments(result), 'the mean'),
    },
  ];
}

function connectionsChart(result: RunResult): LineChart[] {
  const moments = momentsOf(result);
  const ys = moments.map(({ open }) => open);
  // A line that never moves says no more than the table.
  if (new Set(ys).size < 2) return [];
  return [
    {
      kind: 'lines',
      ...{ title: 'Connections open', x: 'seconds', xs: moments.map(({ at }) => at), unit: 'count' },
      ...{ lines: [{ label: 'open', ys }], logarithmic: false },
      summary: `open connections ${spanText('count', ys)}`,
      ...momentNote(secondsOfMoments(result), 'the most'),
    },
  ];
}
