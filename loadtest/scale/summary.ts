import type { RunResult } from '../result/run-result.ts';
import type { CountedFaults } from './faults.ts';
import { byteText, counted, grouped, milliseconds } from '../result/grouped.ts';
import type { LoadFigures } from './load-figures.ts';
import { usedBy } from '../stand/process-watch.ts';
import { otherCores, saturated, type MeanUse } from './timeline.ts';

/** Growth of fewer connections is lost in what a process grows by anyhow. */
const leastForMemory = 1_000;
const shownPercentiles = ['50', '95', '99', '99.9'];

/** What a summary is made of, beside the result itself. */
export interface SummaryFigures {
  readonly load: LoadFigures;
  readonly used: MeanUse;
  readonly connections: number;
  /** Of all gateways, before the first client came; undefined where they cannot be seen. */
  readonly residentBefore: number | undefined;
  /** And with all clients connected, before the load. */
  readonly residentHeld: number | undefined;
  readonly upstreamConnections: number | undefined;
  /** What those are called that clients connect to. */
  readonly serverName: 'gateway' | 'server';
  readonly faults: CountedFaults;
}

/** The table at the end of a run. */
export function summaryText(result: RunResult, figures: SummaryFigures): string {
  const { load, used } = figures;
  const { environment } = result;
  const rows: string[][] = [];
  const row = (name: string, ...parts: (string | undefined)[]): void => {
    const text = parts.filter((part) => part !== undefined);
    if (text.length > 0) rows.push([name, text.join('   ')]);
  };
  row('connections', connectionsText(result));
  const share = grouped((load.repliesPerSecond / load.ratePerSecond) * 100, 1);
  row(
    'rate',
    `${grouped(load.repliesPerSecond)}/s answered, ${grouped(load.ratePerSecond)}/s wanted (${share} %)`,
  );
  row(
    'latency',
    ...shownPercentiles.map((name) => `p${name} ${milliseconds(result.latency?.percentilesMs[name] ?? 0)}`),
    `max ${milliseconds(result.latency?.maxMs ?? 0)}`,
  );
  const late = (percentile: number): string => milliseconds(load.lateness.quantileUs(percentile) / 1_000);
  row('of that, loaders', `sent late by p50 ${late(0.5)}   p99 ${late(0.99)}`);
  row('messages', messagesText(load));
  row('bytes', `${byteText(load.bytesSent)} sent, ${byteText(load.bytesReceived)} received`);
  const { serverName } = figures;
  row(
    `${serverName}s`,
    usedText(serverName, used) ?? 'not on this machine, or of another user: what it uses cannot be seen',
    memoryText(figures),
  );
  row('backends', usedText('backend', used));
  row('loaders', usedText('loader', used));
  row(
    'CPU in all',
    `${grouped(used.machineCores, 2)} of ${environment.cores} cores, other programs ${grouped(otherCores(used), 2)}; saturated: ${saturated(used, environment.cores)}`,
  );
  if (figures.upstreamConnections !== undefined)
    row('upstream', `${counted(figures.upstreamConnections, 'connection')} to the backends`);
  for (const [i, line] of faultLines(figures.faults).entries()) rows.push([i === 0 ? 'errors' : '', line]);
  if (Object.keys(figures.faults).length === 0) row('errors', 'none');
  return leftAligned(rows);
}

/** What went wrong, a line for each kind. */
export function faultLines(faults: CountedFaults): string[] {
  return Object.entries(faults).map(
    ([kind, { count, first }]) => `${kind}: ${grouped(count)}${first === kind ? '' : `, first: ${first}`}`,
  );
}

/** How many connections there were, and how long that took. */
export function connectionsText({ totals, settings, handshake }: RunResult): string {
  const wanted = Number(settings['connections']);
  const perSecond = totals && totals.onlineMs > 0 ? (totals.connected / totals.onlineMs) * 1_000 : 0;
  const hands = handshake
    ? `; handshake p50 ${milliseconds(handshake.percentilesMs['50'] ?? 0)}, p99 ${milliseconds(handshake.percentilesMs['99'] ?? 0)}`
    : '';
  return `${grouped(totals?.connected ?? 0)} of ${grouped(wanted)}, ${grouped(perSecond)}/s${hands}`;
}

function messagesText({ due, received, errors, unsent, orphaned, lost }: LoadFigures): string {
  return `${grouped(due)} due: ${grouped(received)} answered, ${grouped(errors.total)} answered with an error, ${grouped(unsent.total)} not sent, ${grouped(orphaned + lost)} without an answer`;
}

function usedText(kind: string, { processes }: MeanUse): string | undefined {
  const use = usedBy(kind, processes);
  if (use === undefined) return undefined;
  const count = Object.keys(processes).filter((name) => name === kind || name.startsWith(`${kind} `)).length;
  return `${count === 1 ? '' : `${count}: `}${grouped(use.cores, 2)} cores, ${grouped(use.residentBytes / 1e6)} MB`;
}

function memoryText({ connections, residentBefore, residentHeld }: SummaryFigures): string | undefined {
  if (residentBefore === undefined || residentHeld === undefined || connections < leastForMemory)
    return undefined;
  return `${grouped((residentHeld - residentBefore) / connections / 1_000, 1)} KB a connection`;
}

function leftAligned(rows: readonly string[][]): string {
  const width = Math.max(...rows.map(([name]) => name!.length));
  return rows.map(([name, text]) => `  ${name!.padEnd(width)}  ${text}`).join('\n');
}
