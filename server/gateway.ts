import { GatewayMetrics, indexByName } from '../metrics/gateway-metrics.ts';
import { Histogram } from '../metrics/histogram.ts';
import type { PoolSnapshot } from '../metrics/pool-snapshot.ts';
import type { PoolObserver } from '../pool/client-side.ts';
import type { EchoStyle } from '../pool/modes/echo.ts';
import { Pool } from '../pool/pool.ts';
import { Turn } from '../pool/turn.ts';
import { BufferPool } from '../pool/wire/buffer-pool.ts';
import { AdminServer } from './admin/admin-server.ts';
import { Admission } from './admission.ts';
import { ClientAddresses } from './client-address.ts';
import { TurnClock } from './clock.ts';
import { errorTypeOfRpcCode, errorTypes, rejectReasons } from './close-codes.ts';
import { completeConfig } from './config/load.ts';
import type { ConfigInput } from './config/schema.ts';
import { Connection, type ConnectionContext } from './connection.ts';
import { drainClients } from './drain.ts';
import { Gate, type Seated } from './gate.ts';
import { HeartbeatWheel } from './heartbeat.ts';
import { LagMeter } from './lag-meter.ts';
import { Listener } from './listener.ts';
import { createLog, type Log } from './log.ts';
import { Outbox } from './outbox.ts';

export interface GatewayOptions {
  /** What differs from the defaults; docs/configuration.md describes every key. */
  readonly config?: ConfigInput;
  /** A pino logger; by default JSON lines on standard output at the configured level. */
  readonly log?: Log;
  /** How the upstream `echo:` answers; by default as the pool's mode asks for. */
  readonly echoStyle?: EchoStyle;
}

const readBufferBytes = 64 * 1024;

/** A running gateway. */
export interface Gateway {
  /** The port clients connect to. */
  readonly port: number;
  /** The port of health and metrics. */
  readonly adminPort: number;
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
  const { log = createLog(config.log.level, { isTerminal: false }), echoStyle } = options;
  const { intervalMs, timeoutMs } = config.heartbeat;
  const clock = new TurnClock();
  const { now } = clock;
  const metrics = new GatewayMetrics({ errorTypes, rejectReasons });
  const errorIndex = indexByName(errorTypes);
  const onError = (error: unknown): void => {
    metrics.error(errorIndex.internal);
    log.error({ err: error }, 'a handler failed');
  };
  const turn = new Turn({ onError });
  const heartbeatOptions = {
    ...config.heartbeat,
    now,
    onRtt: (ms: number) => metrics.heartbeatRtt.observe(ms / 1_000),
  };
  const clientHeartbeat = new HeartbeatWheel(heartbeatOptions);
  const upstreamHeartbeat = new HeartbeatWheel({ ...heartbeatOptions, onRtt: () => undefined });
  const lagMeter = new LagMeter(metrics.eventLoopLag);

  const buffers = new BufferPool();
  const readBuffer = Buffer.allocUnsafeSlow(readBufferBytes);
  const upstreamLatencies = new Map<string, Histogram>();
  const pools = new Map<string, Pool>();
  for (const [name, poolConfig] of Object.entries(config.pools)) {
    const upstreamLatency = new Histogram();
    upstreamLatencies.set(name, upstreamLatency);
    const observer: PoolObserver = {
      replied: (seconds) => metrics.latency.observe(seconds),
      upstreamAnswered: (seconds) => upstreamLatency.observe(seconds),
      refused: (code) => metrics.error(errorIndex[errorTypeOfRpcCode.get(code) ?? 'internal']),
    };
    const pool = new Pool({
      name,
      config: poolConfig,
      echoStyle: echoStyle ?? (poolConfig.mode === 'session' ? 'verbatim' : 'json-rpc'),
      maxBackpressureBytes: config.listen.maxBackpressureBytes,
      readBuffer,
      buffers,
      turn,
      heartbeat: upstreamHeartbeat,
      observer,
      log,
      onError,
      now,
      random: Math.random,
    });
    pools.set(name, pool);
  }

  const context: ConnectionContext = {
    metrics,
    errorIndex,
    outbox: new Outbox(turn),
    turn,
    heartbeat: clientHeartbeat,
    maxMessageBytes: config.listen.maxMessageBytes,
    maxBackpressureBytes: config.listen.maxBackpressureBytes,
  };
  const clients = new Set<Connection>();
  const admission = new Admission(config.listen);
  const gate = new Gate({
    config,
    pools,
    admission,
    addresses: new ClientAddresses(config.listen.trustedProxies),
    metrics,
    log,
  });

  const snapshots = (): PoolSnapshot[] =>
    [...pools.values()].map((pool) => ({
      ...pool.snapshot(),
      upstreamLatency: upstreamLatencies.get(pool.name)!,
    }));
  const admin = await AdminServer.open({
    ...config.admin,
    metrics,
    pools: snapshots,
    readiness: () => readiness(gate.draining, pools),
  });

  let listener: Listener;
  const stop = (): void => {
    clientHeartbeat.stop();
    upstreamHeartbeat.stop();
    lagMeter.stop();
    listener.close();
    for (const pool of pools.values()) pool.close(1001, 'going away');
    admin.close();
  };
  try {
    listener = await Listener.open({
      ...config.listen,
      idleTimeoutMs: intervalMs === 0 ? 0 : intervalMs + timeoutMs + 8_000,
      handlers: {
        onRequest: (request, peerAddress, answer) => gate.onRequest(request, peerAddress, answer),
        onOpen: (socket, seated: Seated) => {
          const client = new Connection(context, socket, seated.seat, seated.addressKey);
          clients.add(client);
          return client;
        },
        onMessage: (client, message, isBinary) => client.onFrame(message, isBinary),
        onPong: (client) => client.onPong(),
        onClose: (client, code, reason) => {
          clients.delete(client);
          admission.leave(client.addressKey);
          client.onClosed(code, reason);
        },
        onError,
      },
    });
  } catch (error) {
    admin.close();
    for (const pool of pools.values()) pool.close(1001, '');
    lagMeter.stop();
    throw error;
  }
  clientHeartbeat.start();
  upstreamHeartbeat.start();

  return {
    port: listener.port,
    adminPort: admin.port,
    drain: async () => {
      gate.draining = true;
      listener.stopListening();
      await drainClients({ clients, ...config.drain, now: () => performance.now() });
      stop();
    },
    stop,
  };
}

function readiness(draining: boolean, pools: ReadonlyMap<string, Pool>): { ready: boolean; why: string } {
  if (draining) return { ready: false, why: 'draining' };
  const down = [...pools.values()].filter((pool) => !pool.healthy).map((pool) => pool.name);
  return down.length === 0
    ? { ready: true, why: '' }
    : { ready: false, why: `no upstream in pool ${down.join(', ')}` };
}
