import { Endpoint } from '../endpoint.ts';
import type { Balancer, Member } from './balancer.ts';

/** One upstream of the simulation, as a pool sees it. */
class SimulatedUpstream implements Member {
  readonly endpoint = new Endpoint({ url: 'ws://10.0.0.1:1', trusted: false });
  /** When each request was sent that is out. */
  readonly sentAtMs: number[] = [];
  picks = 0;
  lastPickMs = 0;

  get load(): number {
    return this.sentAtMs.length;
  }

  get available(): boolean {
    return this.endpoint.slowStart.allows(this.load, 128);
  }

  get latencyMs(): number {
    return this.endpoint.latency.ms;
  }
}

export interface Simulation {
  readonly balancer: Balancer;
  readonly random: () => number;
  readonly upstreams: number;
  readonly requestsPerSecond: number;
  readonly seconds: number;
  readonly timeoutMs: number;
  /** How long an upstream takes to answer what it gets at that time. */
  readonly serviceMs: (upstream: number, nowMs: number) => number;
}

export interface Outcome {
  readonly success: number;
  /** By upstream: when it was picked last. */
  readonly lastPickMs: readonly number[];
}

/** Lets requests arrive at random on a clock of its own, one millisecond after the other, and sees how many are answered in time. */
export function simulate(simulation: Simulation): Outcome {
  const { balancer, random, requestsPerSecond, seconds, timeoutMs, serviceMs } = simulation;
  const upstreams = Array.from({ length: simulation.upstreams }, () => new SimulatedUpstream());
  for (const { endpoint } of upstreams) endpoint.slowStart.beginCarefully();
  const endings = new Map<number, (() => void)[]>();
  const counts = { asked: 0, succeeded: 0 };
  let waiting = 0;

  const send = (upstream: SimulatedUpstream, nowMs: number): void => {
    const takesMs = Math.max(1, Math.round(serviceMs(upstreams.indexOf(upstream), nowMs)));
    const inTime = takesMs < timeoutMs;
    upstream.picks++;
    upstream.lastPickMs = nowMs;
    upstream.endpoint.asked(nowMs);
    upstream.sentAtMs.push(nowMs);
    const endsAtMs = nowMs + Math.min(takesMs, timeoutMs);
    const end = (): void => {
      upstream.sentAtMs.splice(upstream.sentAtMs.indexOf(nowMs), 1);
      if (inTime) upstream.endpoint.answered(nowMs, endsAtMs, false);
      else upstream.endpoint.timedOut(nowMs, endsAtMs);
      if (inTime) counts.succeeded++;
    };
    endings.set(endsAtMs, [...(endings.get(endsAtMs) ?? []), end]);
  };

  for (let nowMs = 1; nowMs <= seconds * 1_000; nowMs++) {
    for (const end of endings.get(nowMs) ?? []) end();
    endings.delete(nowMs);
    if (nowMs % 100 === 0) sweep(upstreams, nowMs);
    // Poisson: several may come in one millisecond.
    for (
      let left = -Math.log(1 - random());
      left < requestsPerSecond / 1_000;
      left -= Math.log(1 - random())
    ) {
      counts.asked++;
      waiting++;
    }
    for (; waiting > 0; waiting--) {
      const upstream = balancer.pick(upstreams);
      if (upstream === undefined) break;
      send(upstream, nowMs);
    }
  }
  const out = upstreams.reduce((sum, { load }) => sum + load, waiting);
  return {
    success: counts.succeeded / (counts.asked - out),
    lastPickMs: upstreams.map(({ lastPickMs }) => lastPickMs),
  };
}

/** What a fleet does every 100 ms. */
function sweep(upstreams: readonly SimulatedUpstream[], nowMs: number): void {
  for (const { endpoint, sentAtMs } of upstreams) {
    endpoint.latency.decay(nowMs);
    endpoint.slowStart.tick(nowMs);
    endpoint.latency.waiting(nowMs - Math.min(...sentAtMs), nowMs);
  }
}
