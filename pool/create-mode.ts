import type { Connector } from './connector.ts';
import type { Mode } from './mode.ts';
import type { PoolConfig, PoolOptions } from './pool-config.ts';
import type { OperableMode } from './pool-operations.ts';

/** Makes the mode of a pool that has upstreams. */
export type CreateMode = (
  options: PoolOptions,
  connector: Connector,
  idCeiling: number,
) => Mode & OperableMode;

/** How a mode is made. What it is made of is loaded now: few gateways have pools of every mode. */
export async function loadMode(mode: PoolConfig['mode']): Promise<CreateMode> {
  switch (mode) {
    case 'session':
      return (await import('./create-session-mode.ts')).createSessionMode;
    case 'request':
      return (await import('./create-request-mode.ts')).createRequestMode;
    case 'mux':
      return (await import('./create-mux-mode.ts')).createMuxMode;
  }
}
