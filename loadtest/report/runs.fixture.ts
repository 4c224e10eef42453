import { LatencyHistogram } from '../result/latency-histogram.ts';
import { emptyResult, type Environment, type RunResult, type SecondOfRun } from '../result/run-result.ts';

const environment: Environment = {
  cpu: 'Example CPU @ 2.50GHz',
  cores: 2,
  memoryBytes: 8_000_000_000,
  system: 'Linux 6.1.0',
  network: 'loopback',
  openFiles: 20_000,
  node: 'v22.18.0',
  wsluice: '0.1.0',
  others: {},
};

export interface ScaleRun {
  readonly seconds?: number;
  readonly connections?: number;
  readonly rate?: number;
  readonly gateways?: number;
  /** Of all latencies. */
  readonly slower?: number;
  readonly gatewayCores?: number;
  readonly loaderCores?: number;
  /** Bytes a second that the gateway's memory grows by. */
  readonly growth?: number;
}

/** What a run of the scale loader might have measured: the same for the same arguments. */
export function scaleRun({
  seconds = 30,
  connections = 10_000,
  rate = 50_000,
  gateways = 1,
  slower = 1,
  gatewayCores = 0.82,
  loaderCores = 0.55,
  growth = 0,
}: ScaleRun = {}): RunResult {
  const random = generator(7);
  const all = new LatencyHistogram();
  const timeline: SecondOfRun[] = [];
  for (let second = 1; second <= seconds; second++) {
    const one = new LatencyHistogram();
    const pause = second % 11 === 0 ? 6 : 1;
    for (let i = 0; i < 200; i++) {
      const us = (300 + 900 * random() ** 4 + (random() < 0.02 ? 4_000 * random() * pause : 0)) * slower;
      one.record(us, Math.round(rate / 200));
    }
    all.add(one);
    const wobble = 0.97 + 0.06 * random();
    const gateway = (index: number) =>
      [
        gateways === 1 ? 'gateway' : `gateway ${index + 1}`,
        { cores: gatewayCores * wobble, residentBytes: 160e6 + 2e6 * index + growth * second },
      ] as const;
    timeline.push({
      at: second,
      sent: rate,
      received: rate,
      errors: 0,
      open: second === 1 ? Math.round(connections * 0.8) : connections,
      latencyMs: {
        p50: one.quantileUs(0.5) / 1_000,
        p95: one.quantileUs(0.95) / 1_000,
        p99: one.quantileUs(0.99) / 1_000,
        max: one.maxUs / 1_000,
      },
      processes: {
        ...Object.fromEntries(Array.from({ length: gateways }, (_, index) => gateway(index))),
        backend: { cores: 0.21 * wobble, residentBytes: 92e6 },
        'loader 1': { cores: loaderCores * wobble, residentBytes: 210e6 },
      },
    });
  }
  const messages = rate * seconds;
  return {
    ...emptyResult({
      kind: 'scale',
      title: `${connections.toLocaleString('en')} connections, ${rate.toLocaleString('en')} messages/s`,
      command: `npm run scale -- --connections ${connections} --rate ${rate} --seconds ${seconds}`,
      environment,
      target: `wsluice in request mode, ${gateways === 1 ? 'one process' : `${gateways} processes`}, an echo behind it`,
      settings: { connections, rate, seconds, mode: 'request', messageBytes: 73, warmUp: false },
    }),
    startedAt: '2026-03-01T14:02:11.000Z',
    seconds,
    complete: true,
    totals: {
      ...{ connected: connections, disconnected: 0, failed: 0, sent: messages, received: messages },
      ...{ bytesSent: messages * 79, bytesReceived: messages * 75, onlineMs: 2_140 },
    },
    handshake: handshakes(connections, random),
    latency: all.figures()!,
    latencyGoalsMs: { '99': 10 },
    timeline,
    verdicts: [
      {
        expectation: '99 % of replies within 10 ms',
        measured: `${(all.quantileUs(0.99) / 1_000).toFixed(2)} ms`,
        passed: all.quantileUs(0.99) < 10_000,
      },
      { expectation: 'no message is lost', measured: '0 of 1,500,000', passed: true },
    ],
  };
}

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
      'no reply within 5 s': 3_877,
      'connection reset (ECONNRESET)': 2_016,
      'closed by the server with 1013 (try again later)': 180,
      [`reply of another client: ${hostile}`]: 31,
    },
    verdicts: [{ expectation: `no errors ${hostile}`, measured: '6,104 errors', passed: false }],
  };
}

function handshakes(connections: number, random: () => number): NonNullable<RunResult['handshake']> {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < connections; i++) histogram.record(500 + 9_000 * random() ** 3);
  return histogram.figures()!;
}

/** Numbers from 0 to 1 that are the same every time (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
