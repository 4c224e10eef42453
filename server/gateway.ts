import { GatewayMetrics, indexByName } from '../metrics/gateway-metrics.ts';
import type { EchoStyle } from '../pool/modes/echo.ts';
import { Turn } from '../pool/turn.ts';
import { BufferPool } from '../pool/wire/buffer-pool.ts';
import { AdminServer } from './admin/admin-server.ts';
import type { ClientsControl } from './admin/clients-control.ts';
import type { PoolsControl } from './admin/pools-control.ts';
import { Admission } from './admission.ts';
import { ClientAddresses } from './client-address.ts';
import { ClientList } from './client-list.ts';
import { TurnClock } from './clock.ts';
import { Codecs } from './codecs.ts';
import { errorTypes, rejectReasons } from './close-codes.ts';
import { completeConfig } from './config/load.ts';
import type { Config, ConfigInput, RateLimitConfig } from './config/schema.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import { drainClients } from './drain.ts';
import type { Seated } from './arrival.ts';
import { FaultLog } from './fault-log.ts';
import { Gate } from './gate.ts';
import { GatewayPools } from './gateway-pools.ts';
import { HeartbeatWheel } from './heartbeat.ts';
import { LagMeter } from './lag-meter.ts';
import { closePort, lastArrivals } from './last-arrivals.ts';
import { GatewayLimits } from './limits.ts';
import { LineSampler } from './line-sampler.ts';
import { Listener } from './listener.ts';
import { observe } from './live/observation.ts';
import { createLog, type Log } from './log.ts';
import { measuredSnapshot, openPools, type MeasuredPool } from './measured-pools.ts';
import { processFigures } from './process-figures.ts';
import type { SharedLimits } from './shared-limits.ts';
import { Outbox } from './outbox.ts';
import { answersAt } from './shared-port.ts';
import { StateLog } from './state-log.ts';

export { createSharedLimits, type SharedLimits } from './shared-limits.ts';

export interface GatewayOptions {
  /** What differs from the defaults; docs/configuration.md describes every key. */
  readonly config?: ConfigInput;
  /** A pino logger; by default JSON lines on standard output at the configured level. */
  readonly log?: Log;
  /** How the upstream `echo:` answers; by default as the pool's mode asks for. */
  readonly echoStyle?: EchoStyle;
  /** Begins the drain that POST /api/drain asks for; by default that of the gateway alone. */
  readonly onDrainRequest?: () => void;
  /** Where gateways in other threads of this process keep the same limits; see `createSharedLimits`. */
  readonly sharedLimits?: SharedLimits;
}

const readBufferBytes = 64 * 1024;
/** The engine's own idle timeout comes this much after the heartbeat should have found a dead client. */
const idleMarginMs = 8_000;

/** How long a drain lets those in who were connected, but no clients yet, when the port was closed. */
const lastArrivalsMs = 1_000;

/** How long the engine keeps an ended connection whose peer does not read (measured). */
const engineLingerMs = 16_000;

/** A running gateway. */
export interface Gateway {
  /** The port clients connect to. */
  readonly port: number;
  /** The port of health and metrics. */
  readonly adminPort: number;
  /** Other rate limits from now on; no client is disconnected, and limits that stay keep what was used of them. */
  applyLimits(rateLimits: readonly RateLimitConfig[]): void;
  /** What operators do to its pools. */
  readonly pools: PoolsControl;
  /** Who is connected. */
  readonly clients: ClientsControl;
  /** Takes no new clients, answers what is in flight, sends everybody away with 1001, then stops. */
  drain(): Promise<void>;
  /** Cuts everything off at once. */
  stop(): void;
}

/**
 * Starts a gateway. Throws WSLUICE_CONFIG with all faults of the config, WSLUICE_LISTEN when a port cannot be had,
 * WSLUICE_ENGINE where the engine does not run.
 */
export async function createGateway(options: GatewayOptions = {}): Promise<Gateway> {
  const config = completeConfig(options.config ?? {});
  const log = options.log ?? createLog(config.log.level);
  const stops: (() => void)[] = [];
  const stop = (): void => {
    while (stops.length > 0) stops.pop()!();
  };
  try {
    return await start({ config, log, options, stops, stop });
  } catch (error) {
    stop();
    throw error;
  }
}

interface StartOptions {
  readonly config: Config;
  readonly log: Log;
  readonly options: GatewayOptions;
  /** Each part adds how it is stopped; they stop in reverse order. */
  readonly stops: (() => void)[];
  readonly stop: () => void;
}

/** Makes the parts and joins them. */
async function start({ config, log, options, stops, stop }: StartOptions): Promise<Gateway> {
  const { now } = new TurnClock();
  const metrics = new GatewayMetrics({ errorTypes, rejectReasons });
  const errorIndex = indexByName(errorTypes);
  const faults = new FaultLog({ log, now });
  const onError = (error: unknown): void => {
    metrics.error(errorIndex.internal);
    faults.tell(error);
  };
  const turn = new Turn({ onError });
  const lagMeter = new LagMeter(metrics.eventLoopLag);
  stops.push(() => lagMeter.stop());

  const newHeartbeat = (onRtt: (ms: number) => void): HeartbeatWheel => {
    const wheel = new HeartbeatWheel({ ...config.heartbeat, now, onRtt });
    wheel.start();
    stops.push(() => wheel.stop());
    return wheel;
  };
  const codecs = new Codecs({ config: config.codec, log, onError });
  const pools = await openPools({
    config,
    codecs,
    echoStyle: options.echoStyle,
    metrics,
    slow: {
      fromMs: config.log.slowRequestMs,
      sampler: new LineSampler(config.log.slowRequestsPerSecond),
      now,
      log,
    },
    shared: {
      maxBackpressureBytes: config.listen.maxBackpressureBytes,
      acquireTimeoutMs: config.listen.handshakeTimeoutMs,
      readBuffer: Buffer.allocUnsafeSlow(readBufferBytes),
      buffers: new BufferPool(),
      turn,
      heartbeat: newHeartbeat(() => undefined),
      log,
      onError,
      now,
      random: Math.random,
    },
  });
  for (const { pool } of pools.values()) stops.push(() => pool.close(1001, 'going away'));

  const clients = new Set<Connection>();
  /** Those who come while the gateway drains. */
  const latecomers: Connection[] = [];
  let stage: 'starting' | 'serving' | 'draining' = 'starting';
  let lastClientId = 0;
  let askForDrain = (): void => undefined;
  const drainAskedFor = new Promise<void>((resolve) => (askForDrain = resolve));
  const admission = new Admission(config.listen);
  const addresses = new ClientAddresses(config.listen.trustedProxies);
  const poolsByName = new Map([...pools].map(([name, { pool }]) => [name, pool]));
  const limits = await GatewayLimits.open({ config, now, log, shared: options.sharedLimits });
  stops.push(() => limits.close());
  const gate = new Gate({
    config,
    pools: poolsByName,
    admission,
    addresses,
    limits: limits.limits,
    codecs,
    metrics,
    log,
  });
  const clientList = new ClientList({
    clients,
    poolOfRoute: new Map(config.routes.map(({ path, pool }) => [path, pool])),
    hashOf: (identity) => limits.limits.hashOf(identity),
    now,
    wallClockMs: Date.now,
    log,
  });
  const operations = new GatewayPools({
    pools: poolsByName,
    configs: config.pools,
    clientCounts: () => clientList.countByPool(),
    log,
  });
  const { live, health } = observe({
    metrics,
    maxConnections: config.listen.maxConnections,
    codecs: () => codecs.bytes,
    limits: () => limits.totals(),
    pools: () => operations.reports(),
    draining: () => stage === 'draining',
    onError,
  });
  stops.push(() => live.stop());
  const admin = await AdminServer.open({
    ...config.admin,
    metrics,
    pools: () => [...pools.values()].map(measuredSnapshot),
    codecs: () => codecs.bytes,
    limits,
    clients: clientList,
    operations,
    live,
    health,
    drain: askForDrain,
    rateLimits: () => limits.totals(),
    process: () => processFigures(metrics.connectionsOpen, config.listen.maxConnections),
    log,
    onError: (error) => faults.tell(error),
    readiness: () => readiness(stage, pools),
  });
  stops.push(() => admin.close());

  const context: ConnectionContext = {
    metrics,
    log,
    errorIndex,
    outbox: new Outbox(turn),
    turn,
    limits: limits.limits,
    now,
    clockMs: () => performance.now(),
    transcoding: codecs.transcoding,
    transcoderLimits: codecs.clientLimits(config.listen.maxBackpressureBytes),
    heartbeat: newHeartbeat((ms) => metrics.heartbeatRtt.observe(ms / 1_000)),
    maxMessageBytes: config.listen.maxMessageBytes,
    maxBackpressureBytes: config.listen.maxBackpressureBytes,
  };
  const rejectIndex = indexByName(rejectReasons);
  const stateLog = new StateLog({
    ...config.listen,
    pools: poolsByName.values(),
    limits: () => limits.limits.refusals(),
    refusedAtCap: (cap) => metrics.rejectCount(rejectIndex[cap]),
    log,
    now,
  });
  stateLog.start();
  stops.push(() => stateLog.stop());
  const { intervalMs, timeoutMs } = config.heartbeat;
  const isShared = await answersAt(config.listen.host, config.listen.port);
  const listener = await Listener.open({
    ...config.listen,
    deflateMinBytes: config.codec.minBytes,
    idleTimeoutMs: intervalMs === 0 ? 0 : intervalMs + timeoutMs + idleMarginMs,
    handlers: {
      onRequest: (request, peerAddress, answer) => gate.onRequest(request, peerAddress, answer),
      onOpen: (socket, seated: Seated) => {
        const client = new Connection(context, { id: ++lastClientId, socket, ...seated });
        clients.add(client);
        if (stage === 'draining') latecomers.push(client);
        return client;
      },
      onMessage: (client, message, isBinary) => client.onFrame(message, isBinary),
      onPing: (client) => client.onPing(),
      onPong: (client) => client.onPong(),
      onDrain: (client) => client.onDrain(),
      onClose: (client, code, reason) => {
        const leave = (): void => admission.leave(client.keys.ip);
        // Its place is taken as long as its memory is, or slow readers that come back at once would pile up.
        if (client.lingers) setTimeout(leave, engineLingerMs).unref();
        else leave();
        // What it said before may still be on its way, and a drain waits for that.
        client.onClosed(code, reason, () => clients.delete(client));
      },
      onError,
    },
  });
  stops.push(() => listener.close());
  stage = 'serving';
  if (isShared)
    log.warn({ port: listener.port }, 'another process has this port too: the clients that come are shared');

  const drainOnce = async (): Promise<void> => {
    const clockMs = (): number => performance.now();
    stage = 'draining';
    operations.resumeAll();
    await closePort(listener, clockMs);
    const timeoutMs = Math.min(lastArrivalsMs, config.drain.timeoutMs);
    void lastArrivals(listener, timeoutMs, clockMs).then(() => gate.close());
    const mayCome = (): boolean => !gate.closed;
    await drainClients({ clients, latecomers, mayCome, ...config.drain, now: clockMs, log });
    stop();
  };
  let drained: Promise<void> | undefined;
  const drain = (): Promise<void> => (drained ??= drainOnce());
  void drainAskedFor.then(() => {
    log.info('a drain was asked for by POST /api/drain');
    return options.onDrainRequest === undefined ? drain() : options.onDrainRequest();
  });
  return {
    port: listener.port,
    adminPort: admin.port,
    applyLimits: (rateLimits) => limits.replace(rateLimits),
    pools: operations,
    clients: clientList,
    drain,
    stop,
  };
}

function readiness(
  stage: 'starting' | 'serving' | 'draining',
  pools: ReadonlyMap<string, MeasuredPool>,
): { ready: boolean; why: string } {
  if (stage !== 'serving') return { ready: false, why: stage };
  const down = [...pools.values()].filter(({ pool }) => !pool.healthy).map(({ pool }) => pool.name);
  return down.length === 0
    ? { ready: true, why: '' }
    : { ready: false, why: `no upstream in pool ${down.join(', ')}` };
}
