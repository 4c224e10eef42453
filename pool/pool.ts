import { createBalancer, type BalancerName } from './balancers/create-balancer.ts';
import type { BackoffOptions } from './backoff.ts';
import type { BreakerOptions } from './breaker.ts';
import type { PoolObserver, Seat, SeatHandlers } from './client-side.ts';
import type { UpstreamCodec } from './coded-upstream.ts';
import { Connector } from './connector.ts';
import type { PoolLog } from './pool-log.ts';
import { Dialer, type DialerOptions, type DialRequest } from './dial.ts';
import { Endpoint } from './endpoint.ts';
import type { OutlierOptions } from './outliers.ts';
import { endpointFigures, type EndpointFigures } from './endpoint-figures.ts';
import { methodTable } from './jsonrpc/method-table.ts';
import { checkCall } from './modes/check-call.ts';
import { dialogueRoles, type DialogueSettings } from './modes/dialogue.ts';
import { EchoMode, type EchoStyle } from './modes/echo.ts';
import { MuxMode } from './modes/mux.ts';
import { maxCarrierBytes, muxSubprotocol } from './mux/frames.ts';
import { RequestMode, zeroCounts, type RequestCounts } from './modes/request.ts';
import { SessionMode } from './modes/session.ts';
import type { WaitQueueLimits } from './modes/wait-queue.ts';
import { Priority, type PriorityName } from './priority.ts';
import { PoolOperations } from './pool-operations.ts';
import type { SubscriptionSettings } from './subscriptions/settings.ts';
import type { Turn } from './turn.ts';
import type { ScalingOptions } from './upkeep.ts';
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

const defaultIdCeiling = 2 ** 52;
const maxCarrierBufferBytes = 262_144;

/** Upstream connections and the way clients share them. */
export class Pool {
  readonly name: string;
  readonly #mode: SessionMode | RequestMode | MuxMode | EchoMode;
  readonly #connector: Connector | undefined;
  /** What operators do to it; undefined where the backend is embedded. */
  readonly operations: PoolOperations | undefined;

  constructor(options: PoolOptions, idCeiling: number = defaultIdCeiling) {
    this.name = options.name;
    const { config, observer, now } = options;
    if (config.upstreams[0] === 'echo:') {
      this.#mode = new EchoMode({ style: options.echoStyle, observer });
      return;
    }
    const { trusted, breaker, outlier } = config;
    const createEndpoint = (url: string): Endpoint =>
      new Endpoint({ url, trusted, breaker, slowStartMs: outlier.slowStartMs });
    const connector = createConnector(options, config.upstreams.map(createEndpoint));
    this.#connector = connector;
    const operated = { connector, createEndpoint, now };
    if (config.mode === 'session') {
      const mode = new SessionMode({
        connector,
        warmConnections: config.minConnections,
        maxGreetingBytes: options.maxBackpressureBytes,
        acquireTimeoutMs: options.acquireTimeoutMs,
        now,
        observer,
      });
      this.#mode = mode;
      this.operations = new PoolOperations({ ...operated, mode });
      return;
    }
    if (config.mode === 'mux') {
      const mode = createMuxMode(options, connector, idCeiling);
      this.#mode = mode;
      this.operations = new PoolOperations({ ...operated, mode });
      return;
    }
    const dialogue = dialogueSettings(config);
    const mode = new RequestMode({
      connector,
      balancer: createBalancer(config.balance, options),
      scaling: config,
      limits: {
        minConnections: config.minConnections,
        maxInFlightPerConnection: config.maxInFlightPerConnection,
        maxInFlightPerClient: config.maxInFlightPerClient,
        maxBatchSize: config.maxBatchSize,
        maxBatchReplyBytes: config.maxMessageBytes,
        requestTimeoutMs: config.requestTimeoutMs,
        queue: config.queue,
        maxRetries: config.retry.maxRetries,
        retryBudgetRatio: config.retry.budgetRatio,
        retryBackoffMs: config.retry.backoffMs,
        healthCall:
          config.healthCheck.method === null
            ? undefined
            : checkCall(config.healthCheck.method, config.healthCheck.params),
        faultCodes: new Set(config.outlier.errorCodes),
        methods: methodTable({
          stateful: config.statefulMethods,
          idempotent: config.retry.idempotentMethods,
          priorities: Object.entries(config.methodPriority).map(
            ([method, name]) => [method, Priority[name]] as const,
          ),
          roles: dialogue && dialogueRoles(dialogue),
        }),
        idCeiling,
      },
      now,
      random: options.random,
      observer,
      log: options.log,
      name: options.name,
      dialogue,
    });
    this.#mode = mode;
    this.operations = new PoolOperations({ ...operated, mode });
  }

  /** False when every upstream is known to be out of reach; in a pause that is nobody's loss. */
  get healthy(): boolean {
    if (this.operations?.paused === true) return true;
    if (this.#mode instanceof RequestMode || this.#mode instanceof MuxMode) return this.#mode.hopeful;
    return this.#connector === undefined || !this.#connector.allFailing;
  }

  /** Finds a place for a client; one handler is called, at once or later, unless the returned function gives up before. `priority` is the class that requests wait in. */
  acquire(request: DialRequest, handlers: SeatHandlers, priority: PriorityName = 'medium'): () => void {
    const mode = this.#mode;
    if (mode instanceof SessionMode || mode instanceof MuxMode) return mode.acquire(request, handlers);
    if (mode instanceof RequestMode && !mode.hopeful) {
      handlers.onRefused({ status: undefined, retryAfterMs: mode.retryAfterMs });
    } else {
      handlers.onSeat(new SharedSeat(mode, request.protocols[0] ?? '', Priority[priority]));
    }
    return () => undefined;
  }

  /** Closes every upstream connection with this code. */
  close(code: number, reason: string): void {
    if (!(this.#mode instanceof EchoMode)) this.#mode.close(code, reason);
    this.#connector?.close();
  }

  /** The figures for /metrics, as of now. */
  snapshot(): PoolFigures {
    const mode = this.#mode;
    const dialing = this.#connector?.dialing ?? 0;
    const endpoints = endpointFigures(this.#connector?.endpoints ?? []);
    if (mode instanceof RequestMode || mode instanceof MuxMode) {
      const busy = mode.channels.filter((channel) => channel.load > 0 && !channel.draining).length;
      const draining = mode.channels.filter((channel) => channel.draining).length;
      const idle = mode.channels.length - busy - draining;
      const { counts, inFlight, waiting } = mode;
      const dialogue = mode instanceof RequestMode ? mode.dialogue : undefined;
      return {
        name: this.name,
        connections: { dialing, idle, busy, draining },
        inFlight,
        waiting,
        endpoints,
        subscriptions: {
          client: dialogue?.subscriptions?.owned ?? 0,
          upstream: dialogue?.subscriptions?.placed ?? 0,
        },
        coalesced: dialogue?.coalescing.coalesced ?? 0,
        ...counts,
      };
    }
    const counts = zeroCounts();
    const connections = { dialing, idle: 0, busy: 0, draining: 0 };
    if (mode instanceof SessionMode) {
      counts.upstreamsLost = mode.upstreamsLost;
      connections.idle = mode.idle;
      connections.busy = mode.busy;
    } else {
      counts.accepted = mode.accepted;
      counts.replied = mode.replied;
    }
    return {
      name: this.name,
      connections,
      inFlight: 0,
      waiting: mode instanceof SessionMode ? mode.waiting : 0,
      endpoints,
      subscriptions: { client: 0, upstream: 0 },
      coalesced: 0,
      ...counts,
    };
  }
}

/** What a pool tells about itself. */
export interface PoolFigures extends RequestCounts {
  readonly name: string;
  readonly connections: {
    readonly dialing: number;
    readonly idle: number;
    readonly busy: number;
    readonly draining: number;
  };
  readonly inFlight: number;
  readonly waiting: number;
  readonly endpoints: readonly EndpointFigures[];
  /** What clients have subscribed, and what is subscribed upstream. */
  readonly subscriptions: { readonly client: number; readonly upstream: number };
  /** Calls answered by an identical one of somebody else's. */
  readonly coalesced: number;
}

/** A place in a pool whose connections nobody owns. */
class SharedSeat implements Seat {
  readonly protocol: string;
  readonly #mode: RequestMode | EchoMode;
  readonly #priority: Priority;

  constructor(mode: RequestMode | EchoMode, protocol: string, priority: Priority) {
    this.#priority = priority;
    this.#mode = mode;
    this.protocol = protocol;
  }

  attach(client: Parameters<Seat['attach']>[0]): ReturnType<Seat['attach']> {
    return this.#mode.lease(client, this.#priority);
  }

  vacate(): void {
    // Nothing is held before the client is there.
  }
}

function dialogueSettings(config: PoolConfig): DialogueSettings | undefined {
  const { subscriptions, coalesceMethods, maxCoalesced } = config;
  if (subscriptions === null && coalesceMethods.length === 0) return undefined;
  return { subscriptions: subscriptions ?? undefined, coalesceMethods, maxCoalesced };
}

/** What one connection may carry, and have waiting. */
type ConnectionLimits = Pick<DialerOptions, 'maxMessageBytes' | 'maxBufferedBytes' | 'requiredProtocol'>;

function plainLimits({ config, maxBackpressureBytes }: PoolOptions): ConnectionLimits {
  return { maxMessageBytes: config.maxMessageBytes, maxBufferedBytes: maxBackpressureBytes };
}

/** What waits on a connection in mux mode holds up all its clients, and what waits for it is held for each of them. */
function carrierLimits({ maxBackpressureBytes }: PoolOptions): ConnectionLimits {
  return {
    maxMessageBytes: maxCarrierBytes,
    maxBufferedBytes: Math.min(maxBackpressureBytes, maxCarrierBufferBytes),
    requiredProtocol: muxSubprotocol,
  };
}

function createMuxMode(options: PoolOptions, connector: Connector, idCeiling: number): MuxMode {
  const { config, maxBackpressureBytes } = options;
  const { minConnections, maxStreamsPerConnection, maxMessageBytes, queue } = config;
  return new MuxMode({
    ...options,
    connector,
    scaling: config,
    balancer: createBalancer(config.balance, options),
    limits: {
      ...{ minConnections, maxStreamsPerConnection, maxMessageBytes },
      ...{ queue, maxBackpressureBytes, idCeiling },
    },
  });
}

function createConnector(options: PoolOptions, endpoints: readonly Endpoint[]): Connector {
  const { config } = options;
  const dialer = new Dialer({
    ...(config.mode === 'mux' ? carrierLimits(options) : plainLimits(options)),
    maxFragments: config.maxFragments,
    connectTimeoutMs: config.connectTimeoutMs,
    tls: config.tls,
    turn: options.turn,
    buffers: options.buffers,
    heartbeat: options.heartbeat,
    readBuffer: options.readBuffer,
    codec: options.codec,
    onError: options.onError,
  });
  return new Connector({
    pool: options.name,
    endpoints,
    dialer,
    balancer: createBalancer(config.balance, options),
    maxConnections: config.maxConnections,
    reconnect: config.reconnect,
    outlier: config.outlier,
    healthCheck: { intervalMs: config.healthCheckIntervalMs, timeoutMs: config.healthCheck.timeoutMs },
    byLatency: config.balance === 'peak-ewma' && config.mode !== 'session',
    now: options.now,
    random: options.random,
    log: options.log,
  });
}
