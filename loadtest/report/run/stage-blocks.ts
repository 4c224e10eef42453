import type { RunResult, Stage } from '../../result/run-result.ts';
import type { Block, LineChart } from '../report-page.ts';
import { isWide, spanText } from './drawing.ts';

/** How it went as the load grew: the stages of a ladder, or of the search for a ceiling, in the order of their load. */
export function stageBlocks({ stages }: RunResult): Block[] {
  const x = axisOf(stages);
  if (x === undefined) return [];
  const place = (stage: Stage): number =>
    x === 'connections' ? stage.connections : (stage.ratePerSecond ?? stage.repliesPerSecond);
  // What was tried again counts as it was at last.
  const last = [...new Map(stages.map((stage) => [place(stage), stage])).values()];
  const ordered = last.sort((one, other) => place(one) - place(other));
  const by = x === 'connections' ? 'by connections' : 'by messages per second';
  const common = { kind: 'lines', x, xs: ordered.map(place), marked: true } as const;
  return [
    ...latencyChart(ordered, `Response times ${by}`, common),
    ...repliesChart(ordered, common),
    ...coresChart(ordered, `CPU of the gateway ${by}`, common),
  ];
}

type Common = Pick<LineChart, 'kind' | 'x' | 'xs' | 'marked'>;

/** What it is that grew; undefined when it is nothing that can be an axis. */
function axisOf(stages: readonly Stage[]): 'per second' | 'connections' | undefined {
  const several = (read: (stage: Stage) => number | null): boolean => new Set(stages.map(read)).size > 1;
  if (several(({ ratePerSecond }) => ratePerSecond)) return 'per second';
  if (several(({ connections }) => connections)) return 'connections';
  return several(({ repliesPerSecond }) => repliesPerSecond) ? 'per second' : undefined;
}

function latencyChart(stages: readonly Stage[], title: string, common: Common): LineChart[] {
  const measured = stages.flatMap(({ latencyMs }) => (latencyMs === null ? [] : [latencyMs]));
  if (measured.length === 0) return [];
  const lines = (['p50', 'p95', 'p99', 'max'] as const).map((name) => ({
    label: name,
    ys: stages.map(({ latencyMs }) => latencyMs?.[name] ?? null),
  }));
  const spread = Math.max(...measured.map(({ max }) => max)) / Math.min(...measured.map(({ p50 }) => p50));
  const summary = lines.map(({ label, ys }) => `${label} ${spanText('ms', ys)}`).join(', ');
  return [{ ...common, title, unit: 'ms', lines, logarithmic: isWide(spread), summary }];
}

function repliesChart(stages: readonly Stage[], common: Common): LineChart[] {
  if (common.x !== 'per second' || stages.some(({ ratePerSecond }) => ratePerSecond === null)) return [];
  const lines = [
    { label: 'wanted', ys: stages.map(({ ratePerSecond }) => ratePerSecond) },
    { label: 'answered', ys: stages.map(({ repliesPerSecond }) => repliesPerSecond) },
  ];
  const summary = lines.map(({ label, ys }) => `${label} ${spanText('per second', ys)}`).join(', ');
  const title = 'Messages per second, wanted and answered';
  return [{ ...common, title, unit: 'per second', lines, logarithmic: false, summary }];
}

function coresChart(stages: readonly Stage[], title: string, common: Common): LineChart[] {
  const ys = stages.map(({ gatewayCores }) => gatewayCores);
  if (ys.every((value) => value === null)) return [];
  const summary = `cores of the gateway ${spanText('cores', ys)}`;
  return [
    { ...common, title, unit: 'cores', lines: [{ label: 'gateway', ys }], logarithmic: false, summary },
  ];
}
