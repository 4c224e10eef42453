import { aPool, anUpstream } from '../admin/pool-report.fixture.ts';
import { aProcess } from '../live/live-sampler.fixture.ts';
import type { LiveSample } from '../live/live-sample.ts';
import type { ShownClients, ShownHealth } from './live-shape.ts';
import { TopState } from './top-state.ts';

const startMs = Date.parse('2030-01-01T12:00:00Z');

/** The second `n` of a gateway that is busy, but for `changes`. */
export function aSample(n: number, changes: Partial<LiveSample> = {}): LiveSample {
  return {
    at: startMs + n * 1_000,
    spanMs: 1_000,
    draining: false,
    connections: { open: 1_024, max: 16_000 },
    perSecond: {
      received: 12_300,
      sent: 12_100,
      bytesReceived: 1_300_000,
      bytesSent: 2_500_000,
      replies: 12_000,
      errors: 3,
      rejected: 2,
    },
    latencyMs: { p50: 0.42, p95: 2.1, p99: 4.5 },
    refusedPerSecond: { global: 0, ip: 12 },
    codecs: { zstd: { plainBytes: 4e6, packedBytes: 1e6 }, gzip: { plainBytes: 0, packedBytes: 0 } },
    process: aProcess,
    pools: [
      aPool({
        totals: {
          accepted: 100 * n,
          replied: 97 * n,
          errored: 3 * n,
          abandoned: 0,
          upstreamsLost: 0,
          retries: 0,
        },
      }),
      aPool({ name: 'raw', mode: 'session', embedded: true, upstreams: [] }),
    ],
    ...changes,
  };
}

/** Clients with ids from 1, which have sent and got so many messages. */
export function clientsOf(...messages: number[]): ShownClients {
  return {
    total: messages.length,
    clients: messages.map((count, index) => ({
      id: index + 1,
      address: '10.0.0.7',
      pool: 'main',
      connectedAt: new Date(startMs - 60_000).toISOString(),
      messages: { received: count, sent: 0 },
      bytes: { received: count * 1_024, sent: 0 },
      inFlight: 1,
    })),
  };
}

export const healthy: ShownHealth = { status: 'ok', problems: [], version: '1.2.3', uptimeSeconds: 3_725 };

/** What is known of a gateway after three seconds. */
export function aState(changes: Partial<LiveSample> = {}): TopState {
  const state = new TopState('http://127.0.0.1:8081');
  state.health = healthy;
  state.totals = {
    totalRequests: 123_456,
    averageResponseTime: 0.5,
    p99: 4.25,
    slowRequests: 7,
    errorRate: 0.02,
  };
  state.onHistory([aSample(1)]);
  state.onSample(aSample(2, changes));
  state.onClients(clientsOf(5, 3), 0);
  state.onSample(aSample(3, changes));
  state.onClients(clientsOf(25, 3), 2_000);
  return state;
}

/** An upstream whose dials fail. */
export const badUpstream = anUpstream({
  upstream: 'ws://10.0.0.2:9001/',
  state: 'breaker-open',
  breaker: 'open',
  stateAgeMs: 5_000,
  lastFailure: { kind: 'dial', detail: 'connect ECONNREFUSED 10.0.0.2:9001', agoMs: 1_000 },
});
