import { connectClient } from './client.ts';
import type { Client } from './client.ts';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { putLimits } from './limits-api.ts';
import type { LimitInput } from './limits-api.ts';

/** So few that no test lasts until the next one: what passes is the burst, exactly. */
export const HARDLY_PER_SECOND = 0.001;

/** A token bucket for each connection that is hardly refilled, but for what is said. */
export function bucket(limit: Partial<LimitInput>): LimitInput {
  return {
    scope: 'connection',
    strategy: 'token-bucket',
    requestsPerSecond: HARDLY_PER_SECOND,
    ...limit,
  };
}

/** Starts a gateway under such limits; unless `config` says otherwise, in request mode before the embedded back end. */
export function startLimited(
  limits: readonly Partial<LimitInput>[],
  config: Readonly<Record<string, unknown>> = {},
): Promise<Gateway> {
  const pools = { main: { mode: 'request' } };
  return startGateway({ config: { pools, ...config, rateLimits: limits.map(bucket) } });
}

/** Puts these limits in place of all that there are, with nothing of them used. */
export async function limitAfresh(gateway: Gateway, limits: readonly Partial<LimitInput>[]): Promise<void> {
  await putLimits(gateway, []);
  const { faults } = await putLimits(gateway, limits.map(bucket));
  if (faults !== undefined) throw new Error(faults.join('\n'));
}

/** Connects from another loopback address than everybody else. */
export function connectFrom(gateway: Gateway, localAddress: string): Promise<Client> {
  return connectClient(gateway.url, { localAddress });
}
