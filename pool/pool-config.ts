import type { BackoffOptions } from './backoff.ts';
import type { BalancerName } from './balancers/create-balancer.ts';
import type { BreakerOptions } from './health/breaker.ts';
import type { PoolObserver } from './client-side.ts';
import type { UpstreamCodec } from './coded-upstream.ts';
import type { EchoStyle } from './modes/echo.ts';
import type { WaitQueueLimits } from './modes/wait-queue.ts';
import type { OutlierOptions } from './health/outliers.ts';
import type { PoolLog } from './pool-log.ts';
import type { PriorityName } from './waiting/priority.ts';
import type { SubscriptionSettings } from './subscriptions/settings.ts';
import type { Turn } from './turn.ts';
import type { ScalingOptions } from './fleet/upkeep.ts';
import type { Heartbeat } from './upstream.ts';
import type { BufferPool } from './wire/buffer-pool.ts';

/** The settings of one pool; docs/configuration.md says what each means. */
export interface PoolConfig extends ScalingOptions {
  readonly mode: 'session' | 'request' | 'mux';
  readonly upstreams: readonly string[];
  readonly balance: BalancerName;
  readonly minConnections: number;
  readonly maxConnections: number;
  readonly maxInFlightPerConnection: number;
  readonly maxInFlightPerClient: number;
  readonly maxStreamsPerConnection: number;
  readonly maxBatchSize: number;
  readonly maxFragments: number;
  readonly maxMessageBytes: number;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  readonly queue: WaitQueueLimits & { readonly timeoutMs: number };
  /** The class that requests of a method wait in. */
  readonly methodPriority: Readonly<Record<string, PriorityName>>;
  readonly retry: {
    readonly maxRetries: number;
    readonly idempotentMethods: readonly string[];
    readonly budgetRatio: number;
    readonly backoffMs: number;
  };
  readonly reconnect: BackoffOptions;
  readonly breaker: BreakerOptions;
  readonly outlier: OutlierOptions;
  readonly healthCheckIntervalMs: number;
  readonly healthCheck: {
    readonly method: string | null;
    readonly params: unknown;
    readonly timeoutMs: number;
  };
  readonly statefulMethods: readonly string[];
  readonly subscriptions: SubscriptionSettings | null;
  readonly coalesceMethods: readonly string[];
  readonly maxCoalesced: number;
  readonly trusted: boolean;
  readonly tls: { readonly ca: string | null; readonly rejectUnauthorized: boolean };
}

export interface PoolOptions {
  readonly name: string;
  readonly config: PoolConfig;
  /** How the upstream `echo:` answers. */
  readonly echoStyle: EchoStyle;
  /** How long a client may wait for its seat. */
  readonly acquireTimeoutMs: number;
  /** An upstream that reads too slowly may have this much waiting. */
  readonly maxBackpressureBytes: number;
  /** All upstream sockets of a thread may share one. */
  readonly readBuffer: Buffer;
  readonly buffers: BufferPool;
  /** Spoken to the upstreams that agree to it; undefined for none. */
  readonly codec: UpstreamCodec | undefined;
  readonly turn: Turn;
  readonly heartbeat: Heartbeat;
  readonly observer: PoolObserver;
  readonly log: PoolLog;
  /** Told of bugs: something threw where nothing may. */
  readonly onError: (error: unknown) => void;
  readonly now: () => number;
  readonly random: () => number;
}
