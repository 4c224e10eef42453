import type { TelemetryCounts } from '../engine/telemetry-line.ts';
import { grouped } from '../result/grouped.ts';

/** What there is to do. */
export interface Plan {
  readonly connections: number;
  readonly messages: number;
}

const barWidth = 20;
const leastShareForEta = 0.02;

/** Returns how far a run is, as a line of at most `columns` characters. */
export function progressText(
  plan: Plan,
  counts: TelemetryCounts,
  errors: number,
  { elapsedMs, columns }: { readonly elapsedMs: number; readonly columns: number },
): string {
  const share = Math.min(1, Math.max(counts.received / plan.messages, counts.over / plan.connections));
  const bar = '█'.repeat(Math.floor(share * barWidth)).padEnd(barWidth, '░');
  const parts = [
    `${bar} ${String(Math.floor(share * 100)).padStart(3)} %`,
    `connected ${grouped(counts.connected)} of ${grouped(plan.connections)}`,
    `open ${grouped(counts.open)}`,
    `replies ${grouped(counts.received)} of ${grouped(plan.messages)}`,
    `errors ${grouped(errors)}`,
    ...(share >= leastShareForEta && share < 1 ? [eta(elapsedMs, share)] : []),
  ];
  return fitted(parts, columns);
}

/** The first parts that fit, and never half a number. */
function fitted(parts: readonly string[], columns: number): string {
  let line = '';
  for (const part of parts) {
    const longer = line === '' ? part : `${line}  ${part}`;
    if (longer.length > columns) break;
    line = longer;
  }
  return line;
}

function eta(elapsedMs: number, share: number): string {
  const leftS = Math.ceil(((elapsedMs / share) * (1 - share)) / 1_000);
  return leftS < 60 ? `${leftS} s left` : `${Math.floor(leftS / 60)} min ${leftS % 60} s left`;
}
