import type { TelemetryCounts } from '../engine/telemetry-line.ts';
import { grouped } from '../result/grouped.ts';
import type { Step } from '../stand/progress-bar.ts';

/** What there is to do. */
export interface Plan {
  readonly connections: number;
  readonly messages: number;
}

const leastShareForEta = 0.02;

/** Returns how far a run is that began so long ago. */
export function loadStep(plan: Plan, counts: TelemetryCounts, errors: number, elapsedMs: number): Step {
  const share = Math.min(1, Math.max(counts.received / plan.messages, counts.over / plan.connections));
  return {
    what: 'loading',
    share,
    details: [
      `connected ${grouped(counts.connected)} of ${grouped(plan.connections)}`,
      `open ${grouped(counts.open)}`,
      `replies ${grouped(counts.received)} of ${grouped(plan.messages)}`,
      `errors ${grouped(errors)}`,
      ...(share >= leastShareForEta && share < 1 ? [eta(elapsedMs, share)] : []),
    ],
  };
}

function eta(elapsedMs: number, share: number): string {
  const leftS = Math.ceil(((elapsedMs / share) * (1 - share)) / 1_000);
  return leftS < 60 ? `${leftS} s left` : `${Math.floor(leftS / 60)} min ${leftS % 60} s left`;
}
