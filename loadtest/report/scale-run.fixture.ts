import { LatencyHistogram } from '../result/latency-histogram.ts';
import { emptyResult, type Environment, type RunResult, type SecondOfRun } from '../result/run-result.ts';

/** The machine of all of them. */
export const environment: Environment = {
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
