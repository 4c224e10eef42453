import type { Connector } from './connector.ts';
import { SessionMode } from './modes/session.ts';
import type { PoolOptions } from './pool-config.ts';

/** A pool whose clients have an upstream connection each. */
export function createSessionMode({ config, ...options }: PoolOptions, connector: Connector): SessionMode {
  return new SessionMode({
    connector,
    warmConnections: config.minConnections,
    maxGreetingBytes: options.maxBackpressureBytes,
    acquireTimeoutMs: options.acquireTimeoutMs,
    now: options.now,
    observer: options.observer,
  });
}
