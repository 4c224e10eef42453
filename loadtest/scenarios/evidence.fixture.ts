import { LatencyHistogram } from '../result/latency-histogram.ts';
import type { Evidence, GatewayEvidence, StageFigures } from './evidence.ts';
import { MetricsView } from './metrics-view.ts';

/** A stage of ten seconds in which all went well: 1,000 messages, a p99 of 10 ms. */
export function stageWith(change: Partial<StageFigures> = {}): StageFigures {
  return {
    name: 'calls',
    connections: 10,
    wantedPerSecond: 100,
    wantedSeconds: 10,
    beganAtMs: 1_000_000,
    endedAtMs: 1_010_000,
    sent: 1_000,
    replied: 1_000,
    errors: {},
    latency: latencyOf(10),
    seconds: Array.from({ length: 10 }, () => ({ sent: 100, replied: 100, errors: 0 })),
    ...change,
  };
}

export function latencyOf(p99Ms: number): LatencyHistogram {
  const latency = new LatencyHistogram();
  latency.record(p99Ms * 1_000, 100);
  return latency;
}

/** A run in which all went well, against a server that is not ours. */
export function evidenceWith(change: Partial<Evidence> = {}): Evidence {
  return {
    stages: [stageWith()],
    waves: [{ name: 'clients', tried: 10, opened: 10, errors: {} }],
    dropped: {},
    stalledDropped: {},
    gateway: undefined,
    ...change,
  };
}

/** What a gateway of ours showed meanwhile: 100 MB, all the time. */
export function gatewayWith(change: Partial<GatewayEvidence> = {}): GatewayEvidence {
  return {
    memory: memoryAt(() => 100),
    before: new MetricsView(''),
    after: new MetricsView(''),
    faults: [],
    ...change,
  };
}

/** Samples of a stage of ten seconds, in MB by second. */
export function memoryAt(megabytes: (second: number) => number): GatewayEvidence['memory'] {
  return Array.from({ length: 11 }, (_, second) => ({
    atMs: 1_000_000 + second * 1_000,
    residentBytes: megabytes(second) * 1e6,
  }));
}
