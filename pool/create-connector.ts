import { createBalancer } from './balancers/create-balancer.ts';
import { Connector } from './connector.ts';
import { Dialer, type DialerOptions } from './dial.ts';
import type { Endpoint } from './endpoint.ts';
import { maxCarrierBytes, muxSubprotocol } from './mux/frames.ts';
import type { PoolOptions } from './pool-config.ts';

const maxCarrierBufferBytes = 262_144;

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

/** What dials the endpoints of a pool. */
export function createConnector(options: PoolOptions, endpoints: readonly Endpoint[]): Connector {
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
