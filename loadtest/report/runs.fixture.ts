import { kinds } from '../result/failure-kinds.ts';
import { emptyResult, type RunResult, type SecondOfRun } from '../result/run-result.ts';
import { environment, scaleRun } from './scale-run.fixture.ts';

/** The ladder: stages with rests between them, the last of which fails. */
export function ladderRun(): RunResult {
  const rates = [100, 500, 1_000, 2_000, 5_000];
  const base = scaleRun({ seconds: 50, connections: 400, rate: 1_000 });
  const timeline = base.timeline.map((second, index): SecondOfRun => {
    const rests = index % 10 >= 7;
    const rate = rates[Math.floor(index / 10)]!;
    const times = rate === 5_000 ? 9 : 0.8 + rate / 5_000;
    const { latencyMs } = second;
    return {
      ...second,
      sent: rests ? 0 : rate,
      received: rests ? 0 : rate,
      latencyMs:
        rests || latencyMs === null
          ? null
          : {
              p50: latencyMs.p50 * times,
              p95: latencyMs.p95 * times,
              p99: latencyMs.p99 * times,
              max: latencyMs.max * times,
            },
    };
  });
  const stages = rates.map((ratePerSecond, index) => {
    const times = ratePerSecond === 5_000 ? 9 : 0.8 + ratePerSecond / 5_000;
    const passed = ratePerSecond < 5_000;
    return {
      name: `${ratePerSecond.toLocaleString('en')} messages/s`,
      ...{ ratePerSecond, repliesPerSecond: passed ? ratePerSecond : 4_731, connections: 400 },
      errorShare: passed ? 0 : 0.0004,
      latencyMs: { p50: 0.41 * times, p95: 1.1 * times, p99: 2.3 * times, max: 6.2 * times },
      gatewayCores: 0.02 + ratePerSecond / 5_800,
      gatewayResidentBytes: 96e6 + index * 3e6,
      passed,
    };
  });
  const verdicts = stages.map(({ name, latencyMs, passed }) => ({
    expectation: `${name}: p99 below 10 ms`,
    measured: `${latencyMs.p99.toFixed(2)} ms`,
    passed,
  }));
  return {
    ...base,
    kind: 'scenario',
    title: 'Scenario: ladder',
    command: 'npm run scenario -- ladder',
    settings: { scenario: 'ladder', connections: 400, restSeconds: 3 },
    ...{ timeline, stages, verdicts },
  };
}

/** Servers beside each other; one ratio is refused. */
export function compareRun(): RunResult {
  const contestant = (
    name: string,
    depth: number,
    messagesPerSecond: number,
    us: number,
    saturated = 'server',
  ) => ({
    ...{ name, depth, messagesPerSecond, serverCpuUsPerMessage: us, saturated },
    p50Ms: (1_000 / messagesPerSecond) * 950,
    p99Ms: (1_000 / messagesPerSecond) * 1_800,
    cores: { loader: saturated === 'loader' ? 0.99 : 0.62, server: 0.97, backend: 0.2, others: 0.02 },
    upstreamConnections: /^(ws|bare)/.test(name) ? null : /wsluice (request|mux)/.test(name) ? 8 : 1_000,
  });
  const contestants = [
    contestant('wsluice request', 1, 121_400, 8.4),
    contestant('wsluice mux', 1, 117_100, 8.6),
    contestant('wsluice session', 1, 61_200, 15.9),
    contestant('nginx', 1, 57_800, 16.8),
    contestant('HAProxy', 1, 66_900, 14.6),
    contestant('ws', 1, 83_000, 11.9),
    contestant('bare engine', 1, 134_000, 6.9, 'loader'),
    contestant('wsluice request', 16, 861_000, 1.31),
    contestant('nginx', 16, 694_000, 1.4),
    contestant('bare engine', 16, 1_310_000, 0.71, 'loader'),
  ];
  const ratio = (
    name: string,
    against: string,
    depth: number,
    value: number | null,
    goal: number | null,
  ) => ({
    ...{ name, against, depth, ratio: value, goal },
    refused: value === null ? 'the loader was full, so the ratio would be its own' : null,
  });
  return {
    ...emptyResult({
      kind: 'compare',
      title: 'wsluice beside its peers',
      command: 'npm run compare -- --seconds 5',
      environment: { ...environment, others: { nginx: '1.22.1', HAProxy: '2.6.12' } },
      target: 'seven servers in front of one echo',
      settings: { clients: 1_000, depth: '1,16', seconds: 5, rounds: 3 },
    }),
    startedAt: '2026-03-01T15:00:00.000Z',
    seconds: 214,
    complete: true,
    comparison: {
      contestants,
      ratios: [
        ratio('wsluice request', 'nginx', 1, 2.1, 2),
        ratio('wsluice request', 'nginx', 16, 1.24, 1),
        ratio('wsluice session', 'nginx', 1, 0.52, 0.6),
        ratio('wsluice request', 'HAProxy', 1, 1.81, null),
        ratio('wsluice echo', 'bare engine', 16, null, 0.85),
      ],
    },
  };
}

/** Micro-benches beside what the guides say. */
export function benchRun(): RunResult {
  const bench = (group: string, name: string, ns: number, goalNs: number | null, seedNs: number | null) => ({
    group,
    name,
    ns,
    goalNs,
    seedNs,
  });
  return {
    ...emptyResult({
      kind: 'bench',
      title: 'Micro-benches',
      command: 'npm run bench -- metrics ratelimit',
      environment,
      target: 'this process',
      settings: {},
    }),
    startedAt: '2026-03-01T15:00:00.000Z',
    seconds: 40,
    complete: true,
    benches: [
      bench('metrics', 'counter', 1.12, 3, 108),
      bench('metrics', 'histogram', 9.3, 8, 164),
      bench('rate limits', 'token bucket, 10,000 keys', 11.8, 15, 476),
      bench('framing', 'read 64 bytes', 41, null, null),
    ],
  };
}

/** A run that was interrupted, with errors whose texts are what a hostile server might say. */
export function brokenRun(hostile: string): RunResult {
  const whole = scaleRun({ seconds: 14, connections: 2_000, rate: 8_000 });
  const timeline = whole.timeline.map((second, index) =>
    index < 6 || index === 9
      ? second
      : {
          ...second,
          errors: 300 + index * 40,
          received: 5_000,
          latencyMs: index === 8 ? null : second.latencyMs,
        },
  );
  return {
    ...whole,
    title: `Interrupted ${hostile}`,
    target: `ws://127.0.0.1:1/${hostile}`,
    settings: { ...whole.settings, [hostile]: hostile },
    complete: false,
    ...{ timeline, latencyGoalsMs: { '50': 0.2, '99': 10, '99.9': 500 } },
    totals: { ...whole.totals!, failed: 6_104, disconnected: 211, received: 91_000 },
    errors: {
      [kinds.replyTimeout]: 3_877,
      [kinds.reset]: 2_016,
      [kinds.closed(1013)]: 180,
      [`${kinds.foreignReply} ${hostile}`]: 31,
    },
    verdicts: [{ expectation: `no errors ${hostile}`, measured: '6,104 errors', passed: false }],
  };
}
