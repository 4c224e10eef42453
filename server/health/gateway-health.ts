import type { HealthControl, HealthReport, Since } from '../admin/health-control.ts';
import type { PoolReport } from '../admin/pools-control.ts';
import type { LiveHistorySample, ProcessSample } from '../live/live-sample.ts';
import { poolHealth, poolProblems } from './pool-health.ts';
import { StateSince } from './state-since.ts';

export interface GatewayHealthOptions {
  readonly version: string;
  readonly pools: () => readonly PoolReport[];
  /** Clients now, and how many there may be. */
  readonly connections: () => number;
  readonly maxConnections: number;
  readonly draining: () => boolean;
  /** Whether Redis answers; undefined where none is configured. */
  readonly redisUp: () => boolean | undefined;
  readonly now: () => number;
  readonly wallClockMs: () => number;
}

const maxLagMs = 200;
/** As the alerts have it. */
const highShare = 0.8;

/** How a gateway and all that it depends on are, and since when: of what it is not told at once it learns once a second. */
export class GatewayHealth implements HealthControl {
  readonly #options: GatewayHealthOptions;
  readonly #startedAtMs: number;
  readonly #listener: StateSince<HealthReport['listener']['state']>;
  readonly #eventLoop: StateSince<'ok' | 'late'>;
  readonly #memory: StateSince<'ok' | 'high'>;
  readonly #redis: StateSince<'up' | 'down'>;
  #process: ProcessSample;

  /** `process` is what it uses at the start. */
  constructor(options: GatewayHealthOptions, process: ProcessSample) {
    const nowMs = options.now();
    this.#options = options;
    this.#process = process;
    this.#startedAtMs = nowMs;
    this.#listener = new StateSince('accepting', nowMs);
    this.#eventLoop = new StateSince('ok', nowMs);
    this.#memory = new StateSince('ok', nowMs);
    this.#redis = new StateSince(options.redisUp() === true ? 'up' : 'down', nowMs);
  }

  /** Takes note of a second that has passed. */
  see({ process }: Pick<LiveHistorySample, 'process'>): void {
    const nowMs = this.#options.now();
    this.#process = process;
    this.#eventLoop.see(process.eventLoopLagMs > maxLagMs ? 'late' : 'ok', nowMs);
    this.#memory.see(isHigh(process) ? 'high' : 'ok', nowMs);
    this.#look(nowMs);
  }

  report(): HealthReport {
    const { version, connections, maxConnections, pools, redisUp, now } = this.#options;
    const nowMs = now();
    this.#look(nowMs);
    const sinceOf = (ageMs: number): Since => this.#since(ageMs);
    const stateOf = <State extends string>({
      state,
      sinceMs,
    }: StateSince<State>): Since & { state: State } => ({
      state,
      ...sinceOf(nowMs - sinceMs),
    });
    const {
      eventLoopLagMs,
      eventLoopUtilization,
      rssBytes,
      memoryLimitBytes,
      heapUsedBytes,
      heapLimitBytes,
    } = this.#process;
    const parts = {
      version,
      uptimeSeconds: seconds(nowMs - this.#startedAtMs),
      listener: { ...stateOf(this.#listener), connections: connections(), maxConnections },
      eventLoop: { ...stateOf(this.#eventLoop), lagMs: eventLoopLagMs, utilization: eventLoopUtilization },
      memory: {
        ...stateOf(this.#memory),
        ...{ rssBytes, limitBytes: memoryLimitBytes, heapUsedBytes, heapLimitBytes },
      },
      ...(redisUp() === undefined ? {} : { redis: stateOf(this.#redis) }),
      pools: pools().map((pool) => poolHealth(pool, sinceOf)),
    };
    return { status: statusOf(parts), problems: problemsOf(parts), ...parts };
  }

  /** What can be asked at any time. */
  #look(nowMs: number): void {
    const { draining, connections, maxConnections, redisUp } = this.#options;
    const isFull = connections() >= maxConnections;
    this.#listener.see(draining() ? 'draining' : isFull ? 'full' : 'accepting', nowMs);
    this.#redis.see(redisUp() === true ? 'up' : 'down', nowMs);
  }

  #since(ageMs: number): Since {
    const since = new Date(this.#options.wallClockMs() - ageMs).toISOString();
    return { since, ageSeconds: seconds(ageMs) };
  }
}

type Parts = Omit<HealthReport, 'status' | 'problems'>;

function statusOf(parts: Parts): HealthReport['status'] {
  const { listener, pools } = parts;
  if (listener.state === 'draining' || pools.every(({ state }) => state === 'down')) return 'down';
  return problemsOf(parts).length > 0 ? 'degraded' : 'ok';
}

function problemsOf({ listener, eventLoop, memory, redis, pools }: Parts): string[] {
  return [
    ...(listener.state === 'draining' ? ['the gateway drains, and lets nobody in'] : []),
    ...(listener.state === 'full' ? ['the gateway is full, and lets nobody in'] : []),
    ...(eventLoop.state === 'late' ? ['the event loop is late'] : []),
    ...(memory.state === 'high' ? ['little memory is left'] : []),
    ...(redis?.state === 'down' ? ['Redis does not answer'] : []),
    ...pools.flatMap(poolProblems),
  ];
}

function isHigh({ rssBytes, memoryLimitBytes, heapUsedBytes, heapLimitBytes }: ProcessSample): boolean {
  return rssBytes > memoryLimitBytes * highShare || heapUsedBytes > heapLimitBytes * highShare;
}

function seconds(ms: number): number {
  return Math.round(Math.max(0, ms)) / 1_000;
}
