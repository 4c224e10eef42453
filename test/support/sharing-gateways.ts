import { expect } from 'vitest';
import { connectClient } from './client.ts';
import type { Client } from './client.ts';
import { eventually } from './eventually.ts';
import { startGateway } from './gateway.ts';
import type { Gateway } from './gateway.ts';
import { bucket } from './limited-gateway.ts';
import type { LimitInput } from './limits-api.ts';
import { fireVolley } from './volley.ts';

/** What gateways agree on through Redis. */
export interface Sharing {
  /** As `--redis` takes it. */
  readonly redis: string;
  readonly limits: readonly Partial<LimitInput>[];
  readonly onFailure?: 'local' | 'open' | 'closed';
  readonly keyPrefix?: string;
  readonly config?: Readonly<Record<string, unknown>>;
  readonly args?: readonly string[];
}

/** Starts so many gateways under the same limits, hardly refilled but for what is said; identities are in the query, as `key`. */
export function startSharing(count: number, sharing: Sharing): Promise<Gateway[]> {
  const { redis, limits, onFailure = 'local', keyPrefix = 'wsluice:', config, args = [] } = sharing;
  const options = {
    args: ['--redis', redis, ...args],
    config: {
      pools: { main: { mode: 'request' } },
      identity: { query: 'key' },
      redis: { keyPrefix, onFailure },
      rateLimits: limits.map(bucket),
      ...config,
    },
  };
  return Promise.all(Array.from({ length: count }, () => startGateway(options)));
}

/** Connects to each gateway once, as this identity. */
export function connectAs(identity: string, gateways: readonly Gateway[]): Promise<Client[]> {
  return Promise.all(gateways.map((gateway) => connectClient(gateway.at(`/ws?key=${identity}`))));
}

/** Each client in turn sends as many requests; how many of all were answered. */
export async function answeredInAll(
  clients: readonly Client[],
  requestsEach: number,
  method?: string,
): Promise<number> {
  let answered = 0;
  for (const client of clients) answered += (await fireVolley(client, requestsEach, method)).answered;
  return answered;
}

/** What a gateway says of Redis: 1 = answers, 0 = does not, undefined = there is none. */
export async function sharedUp(gateway: Gateway): Promise<number | undefined> {
  return (await gateway.metrics()).find('wsluice_ratelimit_shared_up');
}

/** Waits until every one of the gateways says so. */
export async function allSay(up: 0 | 1, gateways: readonly Gateway[], withinMs?: number): Promise<void> {
  for (const gateway of gateways)
    await eventually(async () => expect(await sharedUp(gateway)).toBe(up), withinMs);
}

/** What a gateway logged about Redis: true each time that limits began to be shared, false when they were not any more. */
export function sharedSince(gateway: Gateway): boolean[] {
  const lines = gateway.logs().filter(({ msg }) => String(msg).includes('Redis'));
  return lines.map(({ msg }) => msg === 'rate limits are shared through Redis');
}
