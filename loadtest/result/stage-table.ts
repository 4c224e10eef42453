import { aligned } from './aligned.ts';
import { grouped } from './grouped.ts';
import type { Stage } from './run-result.ts';

const columns = [
  'stage',
  'connections',
  'wanted/s',
  'answered/s',
  'errors',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'max ms',
  'gateway cores',
  'MB',
  'passed',
];

/** Returns the stages of a run as a table; '' when there was none. */
export function stageTable(stages: readonly Stage[]): string {
  if (stages.length === 0) return '';
  return aligned([columns, ...stages.map(cells)]);
}

function cells(stage: Stage): string[] {
  const { latencyMs, gatewayCores, gatewayResidentBytes } = stage;
  const ms = (of: 'p50' | 'p95' | 'p99' | 'max'): string => latencyMs?.[of].toFixed(2) ?? '–';
  const passed = stage.passed === null ? '–' : stage.passed ? 'yes' : 'no';
  return [
    stage.name,
    grouped(stage.connections),
    stage.ratePerSecond === null ? '–' : grouped(stage.ratePerSecond),
    grouped(stage.repliesPerSecond),
    `${(stage.errorShare * 100).toFixed(stage.errorShare === 0 ? 0 : 2)} %`,
    ...[ms('p50'), ms('p95'), ms('p99'), ms('max')],
    gatewayCores?.toFixed(2) ?? '–',
    gatewayResidentBytes === null ? '–' : grouped(gatewayResidentBytes / 1e6),
    passed,
  ];
}
