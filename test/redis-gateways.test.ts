import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client, Json } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import type { Gateway } from './support/gateway.ts';
import { startJsonRpcBackend } from './support/json-rpc-backend.ts';
import { bucket, connectFrom } from './support/limited-gateway.ts';
import { getLimits, putLimits } from './support/limits-api.ts';
import { startRedis } from './support/redis.ts';
import type { RedisServer } from './support/redis.ts';
import { answeredInAll, connectAs, startSharing } from './support/sharing-gateways.ts';
import { offerSkewedLoad } from './support/skewed-load.ts';
import { answeredOf, decisionsOf, isRefused, request, retryAfterMs } from './support/volley.ts';

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});

/** Everything that Redis keeps, as text. */
async function contentsOf({ client }: RedisServer): Promise<{ text: string; keys: string[] }> {
  const keys = await client.keys('*');
  const values = await Promise.all(keys.map((key) => client.get(key)));
  return { text: JSON.stringify([keys, values]), keys };
}

it('admits as much at three gateways as one may, when most of the load is at one and then at another', async () => {
  const backend = await startJsonRpcBackend();
  const [perSecond, burst] = [1_000, 20];
  const gateways = await startSharing(3, {
    redis: redis.url,
    limits: [{ scope: 'global', requestsPerSecond: perSecond, burst }],
    keyPrefix: 'load:',
    args: ['--upstream', backend.url],
  });
  const figures = await offerSkewedLoad({
    urls: gateways.map(({ url }) => url),
    ...{ clientsPerUrl: 5, seconds: 6, perSecond: 2.5 * perSecond, shares: [0.8, 0.15, 0.05], turnMs: 700 },
    timeUs: async () => {
      const [seconds, micros] = await redis.client.time();
      return Number(seconds) * 1e6 + Number(micros);
    },
  });
  const { answered, refused, offered, elapsedSeconds, idleSeconds } = figures;
  expect(figures.faults).toEqual([]);
  expect(answered + refused).toBe(offered);
  expect(backend.received.length, 'what the back end got').toBe(answered);
  expect(answered).toBeLessThanOrEqual(perSecond * elapsedSeconds + burst);
  // Nobody can admit what is not offered.
  expect(answered).toBeGreaterThanOrEqual(0.95 * perSecond * (elapsedSeconds - idleSeconds));
  const share = (100 * answered) / (perSecond * elapsedSeconds);
  console.log(`three gateways: ${share.toFixed(1)} % of the limit, held up for ${idleSeconds.toFixed(2)} s`);
});

describe('what a client may', () => {
  it('is the same at two gateways together for an address, and nobody reads in Redis whose it is', async () => {
    const gateways = await startSharing(2, {
      redis: redis.url,
      limits: [{ scope: 'ip', burst: 20 }],
      keyPrefix: 'ip:',
    });
    const mine = await Promise.all(gateways.map(({ url }) => connectClient(url)));
    const others = await Promise.all(gateways.map((gateway) => connectFrom(gateway, '127.0.0.9')));
    expect(await answeredInAll([...mine, ...mine], 15)).toBe(20);
    expect(await answeredInAll([...others, ...others], 8)).toBe(20);
    const { text, keys } = await contentsOf(redis);
    expect(text).not.toContain('127.0.0');
    expect(keys.filter((key) => key.startsWith('ip:ip:')).length).toBe(2);
  });

  it('is the same at two gateways together for an identity, and nobody reads in Redis whose it is', async () => {
    const gateways = await startSharing(2, {
      redis: redis.url,
      limits: [{ scope: 'identity', burst: 20 }],
      keyPrefix: 'id:',
    });
    const [alice, bob] = [await connectAs('alice@canary', gateways), await connectAs('bob@canary', gateways)];
    expect(await answeredInAll([...alice, ...alice], 15)).toBe(20);
    expect(await answeredInAll([...bob, ...bob], 8)).toBe(20);
    const { text, keys } = await contentsOf(redis);
    expect(text).not.toMatch(/canary|alice|bob/);
    expect(keys.filter((key) => key.startsWith('id:identity:')).length).toBe(2);
  });

  it('is forgotten by Redis when nothing is used of it any more', async () => {
    const gateways = await startSharing(2, {
      redis: redis.url,
      limits: [{ scope: 'identity', requestsPerSecond: 20, burst: 5 }],
      keyPrefix: 'soon:',
    });
    expect(await answeredInAll(await connectAs('alice', gateways), 5)).toBeGreaterThanOrEqual(5);
    const keys = await redis.client.keys('*');
    expect(keys.filter((key) => key.startsWith('soon:identity:')).length).toBe(1);
    // -1 would be for ever, and -2 gone between the two.
    for (const key of keys) expect(await redis.client.pttl(key), key).not.toBe(-1);
    await eventually(async () => expect(await redis.client.keys('soon:identity:*')).toEqual([]));
  });
});

it('an identity that is in the penalty box of one gateway is in that of the other, for as long', async () => {
  const [blockMs, refillMs] = [2_500, 500];
  // Nobody asks about a method at the upgrade, so that nothing is leased before.
  const limit = { scope: 'method', match: '*', per: 'identity', requestsPerSecond: 20, burst: 10 } as const;
  const gateways = await startSharing(2, {
    redis: redis.url,
    limits: [{ ...limit, blockMs }],
    keyPrefix: 'box:',
  });
  const [here, there] = await connectAs('boxed', gateways);
  const [other] = await connectAs('free', gateways);
  const startedMs = performance.now();
  expect(await answeredOf(here!, 50)).toBeLessThan(50);
  // By then the bucket would have room again.
  await sleep(refillMs);
  const waitMs = retryAfterMs(await there!.call(request(0)));
  expect(waitMs).toBeLessThanOrEqual(blockMs - refillMs + 5);
  expect(await answeredOf(other!, 10)).toBe(10);
  await eventually(async () => expect(isRefused(await there!.call(request(1)))).toBe(false));
  expect(performance.now() - startedMs).toBeGreaterThanOrEqual(blockMs - 1);
});

it('other limits hold for the clients that are connected, and what was used stays used', async () => {
  const limit = { scope: 'method', match: '*', per: 'identity' } as const;
  const limits = [{ ...limit, burst: 20 }];
  const gateways = await startSharing(2, { redis: redis.url, limits, keyPrefix: 'put:' });
  const clients = await connectAs('alice', gateways);
  const put = async (next: readonly Parameters<typeof bucket>[0][]): Promise<void> => {
    for (const gateway of gateways) {
      const { status, faults } = await putLimits(gateway, next.map(bucket));
      expect(status, faults?.join('\n')).toBe(200);
    }
  };
  expect(await answeredInAll(clients, 15)).toBe(20);
  await put([{ ...limit, burst: 30 }]);
  expect(await answeredInAll([...clients, ...clients], 8), 'ten more than before').toBe(10);
  await put([]);
  expect(await answeredInAll(clients, 50)).toBe(100);
  await put([{ scope: 'global', burst: 25 }]);
  expect(await answeredInAll([...clients, ...clients], 20), 'of a limit that is new').toBe(25);
  expect((await getLimits(gateways[0]!)).shared).toEqual({ redis: 'up' });
  for (const { socket } of clients) expect(socket.readyState).toBe(socket.OPEN);
});

describe('while it is not known whether messages may pass', () => {
  it('answers them in order and loses none, for 50 clients that come from nowhere', async () => {
    const burst = 40;
    const gateways = await startSharing(2, {
      redis: redis.url,
      limits: [
        { scope: 'method', match: '*', per: 'identity', burst },
        { scope: 'global', burst: 100_000, requestsPerSecond: 100_000 },
      ],
      // Should this machine hold up Redis for a while, nothing is let through instead.
      ...{ onFailure: 'closed', keyPrefix: 'order:' },
    });
    for (const client of await connectAs('early bird', gateways)) await sendInOrder(client);
    const before = await decisionsOfAll(gateways);
    const names = Array.from({ length: 25 }, (_, n) => `client-${n}`);
    const pairs = await Promise.all(names.map((name) => connectAs(name, gateways)));
    const counts = await Promise.all(
      pairs.map(async (pair) => {
        const [here, there] = await Promise.all(pair.map(sendInOrder));
        return here! + there!;
      }),
    );
    const answered = counts.reduce((sum, count) => sum + count, 0);
    expect(Math.max(...counts), String(counts)).toBeLessThanOrEqual(burst);
    // What one gateway has leased and not used when the other is refused comes back too late for it.
    expect(answered, String(counts)).toBeGreaterThan(0.5 * names.length * burst);
    const after = await decisionsOfAll(gateways);
    expect(after.allowed - before.allowed).toBe(answered);
    expect(after.rejected - before.rejected).toBe(names.length * 2 * elements - answered);
  });

  it('passes them on in order where nobody can be answered', async () => {
    const gateways = await startSharing(1, {
      redis: redis.url,
      limits: [{ scope: 'identity', burst: 40 }],
      keyPrefix: 'session:',
      config: { pools: { main: { mode: 'session' } } },
    });
    const clients = await Promise.all(
      Array.from({ length: 10 }, async (_, n) => (await connectAs(`client-${n}`, gateways))[0]!),
    );
    for (const client of clients) for (let n = 0; n < 60; n++) client.send(String(n));
    for (const client of clients) {
      for (let n = 0; n < 40; n++) expect(await client.nextText()).toBe(String(n));
    }
    await eventually(async () => {
      expect(await decisionsOf(gateways[0]!, 'identity', 'rejected')).toBe(10 * 20);
    });
    expect(clients.map((client) => client.waiting())).toEqual(clients.map(() => 0));
  });
});

/** Messages that `sendInOrder` sends, every seventh of them a batch of three, and the requests in them. */
const messages = 49;
const elements = messages + 2 * 7;

/** Sends all at once, and returns how many were answered; fails when the replies are not those, in that order. */
async function sendInOrder(client: Client): Promise<number> {
  let id = 0;
  for (let n = 0; n < messages; n++) {
    client.send(n % 7 === 6 ? [request(id++), request(id++), request(id++)] : request(id++));
  }
  const replies: Json[] = [];
  while (replies.length < elements) {
    const next = (await client.nextJson()) as Json | Json[];
    replies.push(...[next].flat());
  }
  expect(replies.map((reply) => reply.id)).toEqual(Array.from({ length: elements }, (_, n) => n));
  const answers = replies.filter((reply) => !isRefused(reply));
  for (const { id: asked, result } of answers) expect(result).toEqual([asked]);
  return answers.length;
}

async function decisionsOfAll(gateways: readonly Gateway[]): Promise<{ allowed: number; rejected: number }> {
  let [allowed, rejected] = [0, 0];
  for (const gateway of gateways) {
    allowed += await decisionsOf(gateway, 'method', 'allowed');
    rejected += await decisionsOf(gateway, 'method', 'rejected');
  }
  return { allowed, rejected };
}
