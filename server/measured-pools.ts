import { indexByName, type GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { Histogram } from '../metrics/histogram.ts';
import type { PoolSnapshot } from '../metrics/pool-snapshot.ts';
import type { PoolObserver } from '../pool/client-side.ts';
import type { EchoStyle } from '../pool/modes/echo.ts';
import type { PoolOptions } from '../pool/pool-config.ts';
import { Pool } from '../pool/pool.ts';
import { errorTypeOfRpcCode, errorTypes } from './close-codes.ts';
import type { Codecs } from './codecs.ts';
import type { Config, PoolConfig } from './config/schema.ts';
import { SlowRequests, type SlowRequestsOptions } from './slow-requests.ts';

/** What the pools of a gateway are made of. */
export interface PoolParts {
  readonly config: Config;
  readonly codecs: Codecs;
  readonly echoStyle: EchoStyle | undefined;
  readonly metrics: GatewayMetrics;
  readonly slow: Omit<SlowRequestsOptions, 'pool'>;
  readonly shared: Omit<PoolOptions, 'name' | 'config' | 'codec' | 'echoStyle' | 'observer'>;
}

/** A pool, and where its slow requests and its upstreams' answering times are kept. */
export interface MeasuredPool {
  readonly pool: Pool;
  readonly slowRequests: SlowRequests;
  readonly upstreamLatency: Histogram;
}

/** The pools of a gateway by name, each measured as it works. */
export async function openPools({
  config,
  codecs,
  echoStyle,
  metrics,
  slow,
  shared,
}: PoolParts): Promise<Map<string, MeasuredPool>> {
  const errorIndex = indexByName(errorTypes);
  const open = async (name: string, poolConfig: PoolConfig): Promise<MeasuredPool> => {
    const upstreamLatency = new Histogram();
    const slowRequests = new SlowRequests({ ...slow, pool: name });
    const observer: PoolObserver = {
      replied: (seconds) => metrics.latency.observe(seconds),
      upstreamAnswered: (seconds) => upstreamLatency.observe(seconds),
      refused: (code) => metrics.error(errorIndex[errorTypeOfRpcCode.get(code) ?? 'internal']),
      slowMs: slowRequests.slowMs,
      slow: (client, durationMs, upstream, method) => slowRequests.slow(client, durationMs, upstream, method),
    };
    const style = echoStyle ?? (poolConfig.mode === 'request' ? 'json-rpc' : 'verbatim');
    const pool = await Pool.open({
      ...shared,
      name,
      config: poolConfig,
      codec:
        poolConfig.codec === null
          ? undefined
          : codecs.forUpstream(poolConfig.codec, poolConfig.maxMessageBytes),
      echoStyle: style,
      observer,
    });
    return { pool, slowRequests, upstreamLatency };
  };
  const pools = new Map<string, MeasuredPool>();
  for (const [name, poolConfig] of Object.entries(config.pools))
    pools.set(name, await open(name, poolConfig));
  return pools;
}

/** What a pool tells a scrape. */
export function measuredSnapshot({ pool, slowRequests, upstreamLatency }: MeasuredPool): PoolSnapshot {
  return { ...pool.snapshot(), slow: slowRequests.count, upstreamLatency };
}
