import { setTimeout as sleep } from 'node:timers/promises';
import { readMetrics } from './metrics-view.ts';
import type { MetricsView } from './metrics-view.ts';

const betweenMs = 300;
const longestMs = 15_000;

/** Reads `/metrics` until two readings have the same gauges, so that what is still being dialled or closed is not counted. */
export async function settledMetrics(adminPort: number): Promise<MetricsView> {
  let before = await readMetrics(adminPort);
  return await readUntil(adminPort, (now) => {
    const settled = sameGauges(before, now);
    before = now;
    return settled;
  });
}

/** Reads `/metrics` until its gauges are those of `baseline`, or 15 s have passed. */
export async function metricsBackAt(adminPort: number, baseline: MetricsView): Promise<MetricsView> {
  return await readUntil(adminPort, (now) => sameGauges(baseline, now));
}

async function readUntil(adminPort: number, enough: (now: MetricsView) => boolean): Promise<MetricsView> {
  const untilMs = performance.now() + longestMs;
  for (;;) {
    await sleep(betweenMs);
    const now = await readMetrics(adminPort);
    if (enough(now) || performance.now() > untilMs) return now;
  }
}

function sameGauges(one: MetricsView, other: MetricsView): boolean {
  const [before, after] = [one.gauges(), other.gauges()];
  return before.size === after.size && [...before].every(([series, value]) => after.get(series) === value);
}
