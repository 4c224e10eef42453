import type { Stage } from '../result/run-result.ts';
import type { StageFigures } from './evidence.ts';
import { mean } from '../result/mean.ts';
import { total } from '../result/total.ts';
import { allAnswered } from './expectations/answers.ts';
import { keepsRate, repliesPerSecond } from './expectations/rates.ts';
import type { Expectations } from './expectations/all.ts';
import type { Sample } from './process-samples.ts';

/** A sample stands for the second before it. */
const sampleMs = 1_000;

/** Returns a stage as a result shows it; whether it has passed, where the scenario expects something of every stage. */
export function stageResult(
  stage: StageFigures,
  samples: readonly Sample[],
  expectations: Expectations,
): Stage {
  const endMs = stage.endedAtMs === 0 ? Infinity : stage.endedAtMs + sampleMs;
  const during = samples.filter(({ atMs }) => atMs > stage.beganAtMs && atMs <= endMs);
  const gateway = during.flatMap(({ processes }) => processes['gateway'] ?? []);
  return {
    name: stage.name,
    ratePerSecond: stage.wantedPerSecond,
    repliesPerSecond: repliesPerSecond(stage),
    connections: stage.connections,
    errorShare: stage.sent === 0 ? 0 : Math.min(1, total(stage.errors) / stage.sent),
    latencyMs: stage.latency.shownMs(),
    gatewayCores: gateway.length === 0 ? null : mean(gateway.map(({ cores }) => cores)),
    gatewayResidentBytes:
      gateway.length === 0 ? null : Math.max(...gateway.map(({ residentBytes }) => residentBytes)),
    passed: passedAlone(stage, expectations),
  };
}

/** Null where nothing is expected of stages one by one, and for one that was broken off. */
function passedAlone(stage: StageFigures, expectations: Expectations): boolean | null {
  if (stage.endedAtMs === 0) return null;
  const { answered } = expectations.find((one) => one.answered !== undefined) ?? {};
  const { rateKept } = expectations.find((one) => one.rateKept !== undefined) ?? {};
  const named = answered?.stages?.includes(stage.name) ?? answered !== undefined;
  if (!named && rateKept === undefined) return null;
  return (!named || allAnswered(stage)) && (rateKept === undefined || keepsRate(stage, rateKept.share));
}
