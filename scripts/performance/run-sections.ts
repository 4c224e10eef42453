import type { RunResult } from '../../loadtest/result/run-result.ts';
import { aboutLine, markdownTable, megabytes, ms, whole } from './markdown.ts';

/** Returns what runs against a gateway have measured, a row for each, and a table of stages where a run had some. */
export function loadSection(title: string, runs: readonly RunResult[]): string[] {
  if (runs.length === 0) return [];
  const head = [
    ...['', 'connections', 'sent', 'answered', 'failed', 'p50, ms', 'p99, ms', 'p99.9, ms', 'longest, ms'],
  ];
  const rows = runs.map((run) => [
    run.title,
    whole(run.totals?.connected ?? 0),
    whole(run.totals?.sent ?? 0),
    whole(run.totals?.received ?? 0),
    whole(run.totals?.failed ?? 0),
    ...['50', '99', '99.9', '100'].map((percentile) => ms(run.latency?.percentilesMs[percentile])),
  ]);
  return [
    `## ${title}`,
    markdownTable(head, rows),
    ...runs.flatMap((run) => [
      `${run.title}: ${aboutLine(run)}`,
      ...(run.stages.length > 0 ? [stageTable(run)] : []),
      ...(run.verdicts.length > 0 ? [verdictTable(run)] : []),
    ]),
  ];
}

/** Returns the stages of a scenario and what was expected of it. */
export function scenarioSection(run: RunResult): string {
  return [
    `### ${run.title}`,
    aboutLine(run),
    ...(run.stages.length > 0 ? [stageTable(run)] : []),
    ...(run.verdicts.length > 0 ? [verdictTable(run)] : []),
  ].join('\n\n');
}

function stageTable({ stages }: RunResult): string {
  const head = [
    ...['', 'wanted, messages/s', 'answered', 'connections', 'errors', 'p50, ms', 'p95, ms', 'p99, ms'],
    ...['longest, ms', 'gateway, cores', 'memory', ''],
  ];
  const rows = stages.map((stage) => [
    stage.name,
    stage.ratePerSecond === null ? '–' : whole(stage.ratePerSecond),
    whole(stage.repliesPerSecond),
    whole(stage.connections),
    `${(stage.errorShare * 100).toFixed(2)} %`,
    ...[stage.latencyMs?.p50, stage.latencyMs?.p95, stage.latencyMs?.p99, stage.latencyMs?.max].map(ms),
    stage.gatewayCores === null ? '–' : stage.gatewayCores.toFixed(2),
    megabytes(stage.gatewayResidentBytes),
    stage.passed === null ? '' : stage.passed ? 'passed' : 'failed',
  ]);
  return markdownTable(head, rows);
}

function verdictTable({ verdicts }: RunResult): string {
  const rows = verdicts.map(({ expectation, measured, passed }) => [
    expectation,
    measured,
    passed ? 'passed' : 'failed',
  ]);
  return markdownTable(['expected', 'measured', ''], rows);
}
