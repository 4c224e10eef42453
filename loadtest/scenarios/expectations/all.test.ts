import { describe, expect, it } from 'vitest';
import type { z } from 'zod';
import type { Evidence } from '../evidence.ts';
import { evidenceWith, gatewayWith, latencyOf, memoryAt, stageWith } from '../evidence.fixture.ts';
import { MetricsView } from '../metrics-view.ts';
import { expectationsSchema, judgeAll } from './all.ts';
import type { Judgement } from './expectation.ts';

/** As YAML states it. */
type Expectation = z.input<typeof expectationsSchema>[number];

function judge(expectation: Expectation, evidence: Evidence): Judgement {
  const [judgement, ...others] = judgeAll(expectationsSchema.parse([expectation]), evidence);
  expect(others).toEqual([]);
  return judgement!;
}

function metrics(...series: string[]): MetricsView {
  return new MetricsView(series.join('\n'));
}

const gauge = '# TYPE wsluice_pool_in_flight gauge\nwsluice_pool_in_flight';
const ended = (replied: number): string =>
  ['replied', 'errored', 'abandoned']
    .map((end, i) => `wsluice_requests_ended_total{pool="main",end="${end}"} ${i === 0 ? replied : 1}`)
    .join('\n');
const slowReaders = (count: number): MetricsView =>
  metrics(`websocket_errors_total{type="slow-reader"} ${count}`);
const returned = (second: number): { atMs: number; kind: 'start'; backend: number }[] => [
  { atMs: 1_000_000 + second * 1_000, kind: 'start', backend: 1 },
];
const secondsUntilHealthy = (healthy: number): { sent: number; replied: number; errors: number }[] =>
  Array.from({ length: 10 }, (_, second) =>
    second < healthy ? { sent: 100, replied: 50, errors: 50 } : { sent: 100, replied: 100, errors: 0 },
  );

/** For each expectation a run that meets it, and some that do not. */
const cases: [name: string, expectation: Expectation, good: Evidence, bad: Evidence[]][] = [
  [
    'answered',
    { answered: {} },
    evidenceWith(),
    [
      evidenceWith({ stages: [stageWith({ replied: 999 })] }),
      evidenceWith({ stages: [stageWith(), stageWith({ errors: { 'wrong reply': 1 } })] }),
      evidenceWith({ stages: [stageWith({ sent: 0, replied: 0 })] }),
      evidenceWith({ stages: [] }),
    ],
  ],
  [
    'ends',
    { ends: { stage: 'calls', errors: ['error reply -32000'] } },
    evidenceWith({ stages: [stageWith({ replied: 900, errors: { 'error reply -32000': 100 } })] }),
    [
      evidenceWith({ stages: [stageWith({ replied: 900, errors: { 'error reply -32000': 99 } })] }),
      evidenceWith({ stages: [stageWith({ replied: 999, errors: { 'reply timed out': 1 } })] }),
    ],
  ],
  [
    'refused',
    { refused: { stage: 'calls', as: 'error reply -32029' } },
    evidenceWith({ stages: [stageWith({ replied: 400, errors: { 'error reply -32029': 600 } })] }),
    [
      evidenceWith(),
      evidenceWith({
        stages: [stageWith({ replied: 399, errors: { 'error reply -32029': 600, 'wrong reply': 1 } })],
      }),
    ],
  ],
  [
    'rateKept',
    { rateKept: { share: 0.95 } },
    evidenceWith({ stages: [stageWith({ replied: 960 })] }),
    [
      evidenceWith({ stages: [stageWith(), stageWith({ replied: 940 })] }),
      evidenceWith({ stages: [stageWith({ endedAtMs: 1_020_000 })] }),
      evidenceWith({ stages: [] }),
    ],
  ],
  [
    'p99Close',
    { p99Close: { stage: 'beside', to: 'calls', ratio: 5, orMs: 20 } },
    evidenceWith({ stages: [stageWith(), stageWith({ name: 'beside', latency: latencyOf(49) })] }),
    [
      evidenceWith({ stages: [stageWith(), stageWith({ name: 'beside', latency: latencyOf(51) })] }),
      evidenceWith({ stages: [stageWith()] }),
    ],
  ],
  [
    'admitted',
    { admitted: { stage: 'calls', connections: 2, perSecond: 40, burst: 100 } },
    evidenceWith({ stages: [stageWith({ replied: 1_000 })] }),
    [
      evidenceWith({ stages: [stageWith({ replied: 1_001 })] }),
      evidenceWith({ stages: [stageWith({ replied: 0 })] }),
    ],
  ],
  [
    'noneDropped',
    { noneDropped: {} },
    evidenceWith(),
    [evidenceWith({ dropped: { 'connection reset': 1 } }), evidenceWith({ waves: [] })],
  ],
  [
    'allIn',
    { allIn: { waves: ['clients'], clients: 10 } },
    evidenceWith(),
    [
      evidenceWith({ waves: [{ name: 'clients', tried: 10, opened: 9, errors: { 'connection reset': 1 } }] }),
      evidenceWith({ waves: [] }),
    ],
  ],
  [
    'allIn with a cap',
    { allIn: { waves: ['clients'], clients: 10, cap: 8 } },
    evidenceWith({
      waves: [{ name: 'clients', tried: 10, opened: 8, errors: { 'handshake refused: HTTP 503': 2 } }],
    }),
    [
      evidenceWith(),
      evidenceWith({
        waves: [{ name: 'clients', tried: 10, opened: 8, errors: { 'connection refused': 2 } }],
      }),
    ],
  ],
  [
    'stalledClosed',
    { stalledClosed: { clients: 2 } },
    evidenceWith({
      stalledDropped: { 'closed by the server: 1013': 2 },
      gateway: gatewayWith({ before: slowReaders(1), after: slowReaders(3) }),
    }),
    [
      evidenceWith({ stalledDropped: { 'connection reset': 1 } }),
      evidenceWith({
        stalledDropped: { 'connection reset': 2 },
        gateway: gatewayWith({ before: slowReaders(1), after: slowReaders(2) }),
      }),
    ],
  ],
  [
    'gaugesBack',
    { gaugesBack: {} },
    evidenceWith({ gateway: gatewayWith({ before: metrics(`${gauge} 0`), after: metrics(`${gauge} 0`) }) }),
    [
      evidenceWith({ gateway: gatewayWith({ before: metrics(`${gauge} 0`), after: metrics(`${gauge} 1`) }) }),
      evidenceWith({ gateway: gatewayWith({ before: metrics(`${gauge} 2`) }) }),
      evidenceWith({ gateway: gatewayWith() }),
    ],
  ],
  [
    'memoryFlat',
    { memoryFlat: { stage: 'calls', warmUpShare: 0.2, growthMb: 5 } },
    evidenceWith({ gateway: gatewayWith({ memory: memoryAt((second) => (second < 2 ? 50 : 100)) }) }),
    [evidenceWith({ gateway: gatewayWith({ memory: memoryAt((second) => 100 + second) }) })],
  ],
  [
    'memoryBounded',
    { memoryBounded: { stage: 'flood', than: 'calls', mb: 50 } },
    evidenceWith({ stages: [stageWith(), stageWith({ name: 'flood' })], gateway: gatewayWith() }),
    [
      evidenceWith({
        stages: [stageWith({ endedAtMs: 1_003_000 }), stageWith({ name: 'flood' })],
        gateway: gatewayWith({ memory: memoryAt((second) => (second === 7 ? 151 : 100)) }),
      }),
      evidenceWith({
        stages: [stageWith(), stageWith({ name: 'flood' })],
        gateway: gatewayWith({ memory: [] }),
      }),
    ],
  ],
  [
    'ledger',
    { ledger: {} },
    evidenceWith({
      gateway: gatewayWith({ after: metrics('wsluice_requests_accepted_total 10', ended(8)) }),
    }),
    [
      evidenceWith({
        gateway: gatewayWith({ after: metrics('wsluice_requests_accepted_total 10', ended(7)) }),
      }),
      evidenceWith({ gateway: gatewayWith() }),
    ],
  ],
  [
    'backAgain',
    { backAgain: { stage: 'calls', withinSeconds: 3 } },
    evidenceWith({
      stages: [stageWith({ seconds: secondsUntilHealthy(6) })],
      gateway: gatewayWith({ faults: returned(4) }),
    }),
    [
      evidenceWith({
        stages: [stageWith({ seconds: secondsUntilHealthy(8) })],
        gateway: gatewayWith({ faults: returned(4) }),
      }),
      evidenceWith({
        stages: [stageWith({ seconds: secondsUntilHealthy(10) })],
        gateway: gatewayWith({ faults: returned(4) }),
      }),
      evidenceWith({ gateway: gatewayWith() }),
    ],
  ],
];

describe.each(cases)('%s', (_name, expectation, good, bad) => {
  it('passes a run that is as it should be', () => {
    expect(judge(expectation, good)).toMatchObject({ passed: true });
  });

  it('fails every run that is not', () => {
    for (const evidence of bad) expect(judge(expectation, evidence)).toMatchObject({ passed: false });
  });
});

it.each([{ gaugesBack: {} }, { ledger: {} }, { backAgain: { stage: 'calls', withinSeconds: 1 } }] as const)(
  'does not judge %j of a server that is not ours',
  (expectation) => {
    expect(judge(expectation, evidenceWith())).toMatchObject({ passed: null });
  },
);

it('does not judge the slope of two samples', () => {
  const evidence = evidenceWith({ gateway: gatewayWith({ memory: memoryAt(() => 100).slice(-2) }) });
  const flat = { memoryFlat: { stage: 'calls', warmUpShare: 0.2, growthMb: 5 } };
  expect(judge(flat, evidence)).toMatchObject({ passed: null });
});

it('takes no expectation that it does not know', () => {
  expect(expectationsSchema.safeParse([{ miracles: {} }]).success).toBe(false);
  expect(expectationsSchema.safeParse([]).success).toBe(false);
});
