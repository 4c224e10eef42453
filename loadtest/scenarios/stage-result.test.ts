import { expect, it } from 'vitest';
import { stageWith } from './evidence.fixture.ts';
import { stageResult } from './stage-result.ts';

const sample = (second: number, cores: number): Parameters<typeof stageResult>[1][number] => ({
  atMs: 1_000_000 + second * 1_000,
  processes: { gateway: { cores, residentBytes: cores * 1e8 } },
});
const expectations = [{ answered: {} }, { rateKept: { share: 0.95 } }];

it('shows a stage with what the gateway used in it, and whether it has passed by itself', () => {
  const samples = [sample(-1, 9), sample(2, 0.2), sample(6, 0.4), sample(20, 9)];
  expect(stageResult(stageWith(), samples, expectations)).toMatchObject({
    name: 'calls',
    ratePerSecond: 100,
    repliesPerSecond: 100,
    errorShare: 0,
    gatewayCores: expect.closeTo(0.3) as number,
    gatewayResidentBytes: 4e7,
    passed: true,
  });
  const lossy = stageWith({ replied: 900, errors: { 'reply timed out': 100 } });
  expect(stageResult(lossy, [], expectations)).toMatchObject({
    ...{ repliesPerSecond: 90, errorShare: 0.1, gatewayCores: null, passed: false },
  });
});

it('does not judge one that was broken off', () => {
  const half = stageWith({ endedAtMs: 0, sent: 500, replied: 480, seconds: stageWith().seconds.slice(0, 5) });
  expect(stageResult(half, [sample(3, 0.2)], expectations)).toMatchObject({
    ...{ repliesPerSecond: 96, gatewayCores: 0.2, passed: null },
  });
});

it('has no latencies where there were no replies', () => {
  const silent = stageWith({ replied: 0, latency: stageWith({}).latency });
  silent.latency.reset();
  expect(stageResult(silent, [], []).latencyMs).toBeNull();
});
