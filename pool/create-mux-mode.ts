import { createBalancer } from './balancers/create-balancer.ts';
import type { Connector } from './connector.ts';
import { MuxMode } from './modes/mux.ts';
import type { PoolOptions } from './pool-config.ts';

/** A pool whose clients are streams of shared upstream connections. */
export function createMuxMode(options: PoolOptions, connector: Connector, idCeiling: number): MuxMode {
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
