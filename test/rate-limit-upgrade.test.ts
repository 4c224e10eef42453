import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { runWsluice, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { getLimits } from './support/limits-api.ts';
import { connectFrom, limitAfresh, startLimited } from './support/limited-gateway.ts';
import { RawClient, askUpgrade } from './support/raw-client.ts';
import type { HttpAnswer, UpgradeRequest } from './support/raw-client.ts';
import { answeredOf, fireVolley } from './support/volley.ts';

const forwardedFor = (addresses: string, from?: string): UpgradeRequest => ({
  headers: { 'X-Forwarded-For': addresses },
  ...(from === undefined ? {} : { from }),
});

/** The statuses of that many upgrades, one after the other. */
async function statuses(gateway: Gateway, count: number, request: UpgradeRequest): Promise<number[]> {
  const found: number[] = [];
  for (let n = 0; n < count; n++) found.push((await askUpgrade(gateway.port, request)).status);
  return found;
}

function expectTooMany(answer: HttpAnswer): number {
  expect(answer.status, answer.body).toBe(429);
  expect(answer.headers['retry-after'], 'whole seconds').toMatch(/^[1-9]\d*$/);
  return Number(answer.headers['retry-after']);
}

const routes = ['/ws', '/few', '/busy'].map((path) => ({ path, pool: 'main' }));

let gateway: Gateway;

beforeAll(async () => {
  gateway = await startLimited([], { routes, identity: { header: 'x-api-key', query: 'key' } });
});

describe('an ip limit on messages', () => {
  it('lets an address connect as often as it may send, counted apart', async () => {
    const args = ['--mode', 'request', '--rate-limit', 'token-bucket:0.01/s,burst=5,per=ip'];
    const flagged = await startGateway({ args });
    expect(await statuses(flagged, 5, {})).toEqual([101, 101, 101, 101, 101]);
    const refused = await askUpgrade(flagged.port);
    expect(expectTooMany(refused), 'the next one is due after 100 s').toBeGreaterThan(90);
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(101);
    const other = await connectFrom(flagged, '127.0.0.2');
    expect(await answeredOf(other, 8), 'what it connected cost it no message').toBe(5);
    const page = await flagged.metrics();
    expect(page.sum('websocket_rejected_total', { reason: 'rate-limit' })).toBe(1);
    expect(page.sum('websocket_connections_total')).toBeLessThanOrEqual(6);
  });

  it('lets nobody in whose address has no room for a message', async () => {
    await limitAfresh(gateway, [{ scope: 'ip', burst: 10 }]);
    const client = await connectClient(gateway.url);
    expect(await answeredOf(client, 9)).toBe(9);
    expect(await statuses(gateway, 2, {})).toEqual([101, 101]);
    expect(await answeredOf(client, 1)).toBe(1);
    expectTooMany(await askUpgrade(gateway.port));
    expect((await askUpgrade(gateway.port, { from: '127.0.0.2' })).status).toBe(101);
    expect(client.socket.readyState, 'who is in stays in').toBe(client.socket.OPEN);
  });

  it('lets everybody in where it delays, is on trial, or the message is of another', async () => {
    await limitAfresh(gateway, [
      { scope: 'ip', burst: 2, onExceed: 'delay', maxDelayMs: 1 },
      { scope: 'ip', burst: 1, strategy: 'leaky-bucket', dryRun: true },
      { scope: 'ip', unit: 'connections', burst: 100 },
      { scope: 'connection', burst: 2 },
      { scope: 'route', match: '/busy', burst: 1 },
    ]);
    const client = await connectClient(gateway.at('/busy'));
    expect(await answeredOf(client, 5)).toBeLessThan(5);
    expect(await statuses(gateway, 3, { path: '/busy' })).toEqual([101, 101, 101]);
  });

  it('shuts out an address that it has blocked, until the time is over', async () => {
    await limitAfresh(gateway, [
      { scope: 'ip', requestsPerSecond: 100, burst: 10, blockMs: 900 },
      { scope: 'ip', unit: 'connections', burst: 100 },
    ]);
    const client = await connectClient(gateway.url);
    await eventually(async () => expect((await fireVolley(client, 60)).refused).toBeGreaterThan(0));
    const retryAfter = expectTooMany(await askUpgrade(gateway.port));
    expect(retryAfter).toBe(1);
    expect((await askUpgrade(gateway.port, { from: '127.0.0.2' })).status).toBe(101);
    await sleep(retryAfter * 1_000);
    expect((await askUpgrade(gateway.port)).status).toBe(101);
    expect((await fireVolley(client, 1)).answered).toBe(1);
  });
});

describe('unit connections', () => {
  it('counts new connections by address, in place of what a limit on messages implies', async () => {
    await limitAfresh(gateway, [
      { scope: 'ip', burst: 10 },
      { scope: 'ip', unit: 'connections', burst: 3 },
    ]);
    expect(await statuses(gateway, 5, {})).toEqual([101, 101, 101, 429, 429]);
    expect(await statuses(gateway, 4, { from: '127.0.0.2' })).toEqual([101, 101, 101, 429]);
    const [, connections] = (await getLimits(gateway)).limits;
    expect(connections?.decisions).toMatchObject({ allowed: 6, rejected: 3 });
  });

  it('charges no limit for a connection that another refused', async () => {
    await limitAfresh(gateway, [
      { scope: 'global', unit: 'connections', burst: 3 },
      { scope: 'ip', unit: 'connections', burst: 1 },
    ]);
    expect(await statuses(gateway, 6, {})).toEqual([101, 429, 429, 429, 429, 429]);
    expect(await statuses(gateway, 2, { from: '127.0.0.2' })).toEqual([101, 429]);
    expect(await statuses(gateway, 2, { from: '127.0.0.3' })).toEqual([101, 429]);
    expect(await statuses(gateway, 1, { from: '127.0.0.4' }), 'all three are used').toEqual([429]);
  });

  it('counts by route, and by identity', async () => {
    await limitAfresh(gateway, [
      { scope: 'route', match: '/few', unit: 'connections', per: 'ip', burst: 2 },
      { scope: 'identity', unit: 'connections', burst: 4 },
    ]);
    expect(await statuses(gateway, 3, { path: '/few?key=ann' })).toEqual([101, 101, 429]);
    expect(await statuses(gateway, 3, { path: '/few?key=ann', from: '127.0.0.2' })).toEqual([101, 101, 429]);
    expect(await statuses(gateway, 1, { path: '/ws?key=ann' }), 'two and two').toEqual([429]);
    expect(await statuses(gateway, 5, { path: '/ws?key=bob' })).toEqual([101, 101, 101, 101, 429]);
  });

  it('lets in again after Retry-After', async () => {
    await limitAfresh(gateway, [{ scope: 'ip', unit: 'connections', requestsPerSecond: 1.25, burst: 1 }]);
    expect((await askUpgrade(gateway.port)).status).toBe(101);
    const retryAfter = expectTooMany(await askUpgrade(gateway.port));
    expect(retryAfter).toBe(1);
    await sleep(retryAfter * 1_000);
    expect((await askUpgrade(gateway.port)).status).toBe(101);
  });

  it('on trial refuses nobody', async () => {
    await limitAfresh(gateway, [{ scope: 'ip', unit: 'connections', burst: 2, dryRun: true }]);
    expect(await statuses(gateway, 5, {})).toEqual([101, 101, 101, 101, 101]);
    const [connections] = (await getLimits(gateway)).limits;
    expect(connections?.decisions).toMatchObject({ allowed: 2, dry_run: 3, rejected: 0 });
  });
});

describe('an identity limit', () => {
  it('lets nobody in of whom no message has room, from any address, and all others', async () => {
    await limitAfresh(gateway, [{ scope: 'identity', burst: 5 }]);
    const as = (key: string, from: string): UpgradeRequest => ({ headers: { 'X-Api-Key': key }, from });
    const headers = { 'X-Api-Key': 'ann' };
    expect(await answeredOf(await connectClient(gateway.url, { headers }), 8)).toBe(5);
    expectTooMany(await askUpgrade(gateway.port, as('ann', '127.0.0.1')));
    expectTooMany(await askUpgrade(gateway.port, as('ann', '127.0.0.2')));
    expect((await askUpgrade(gateway.port, as('bob', '127.0.0.1'))).status).toBe(101);
    expect((await askUpgrade(gateway.port)).status, 'the address itself').toBe(101);
  });
});

describe('the address that counts', () => {
  let gateway: Gateway;

  beforeAll(async () => {
    gateway = await startLimited(
      [
        { scope: 'ip', unit: 'connections', burst: 2 },
        { scope: 'ip', burst: 8 },
      ],
      { listen: { trustedProxies: ['127.0.0.1/32'] }, rateLimitKeys: { show: 'clear' } },
    );
  });

  it('is the peer itself, whatever X-Forwarded-For it forges', async () => {
    const found: number[] = [];
    for (let n = 0; n < 1_000; n += 50) {
      const forged = Array.from({ length: 50 }, (_, i) =>
        forwardedFor(`203.0.${(n + i) >> 8}.${(n + i) & 255}`, '127.0.0.7'),
      );
      found.push(
        ...(await Promise.all(forged.map((request) => askUpgrade(gateway.port, request)))).map(
          ({ status }) => status,
        ),
      );
    }
    expect(found.filter((status) => status === 101)).toHaveLength(2);
    expect(found.filter((status) => status === 429)).toHaveLength(998);
    const { limits } = await getLimits(gateway);
    const [{ keys, topKeys }] = limits as [(typeof limits)[0]];
    expect(keys).toBe(1);
    expect(topKeys).toMatchObject([{ key: '127.0.0.7', refused: 998 }]);
  });

  it('is what a trusted proxy wrote last', async () => {
    expect(await statuses(gateway, 3, forwardedFor('198.51.100.1'))).toEqual([101, 101, 429]);
    expect(await statuses(gateway, 3, forwardedFor('6.6.6.6, 198.51.100.2'))).toEqual([101, 101, 429]);
    expect(await statuses(gateway, 1, forwardedFor('7.7.7.7, 198.51.100.2'))).toEqual([429]);
    expect(await statuses(gateway, 1, forwardedFor('198.51.100.2, 198.51.100.3'))).toEqual([101]);
  });

  it('is the /64 of an IPv6 address', async () => {
    expect(await statuses(gateway, 1, forwardedFor('2001:db8:1:2::1'))).toEqual([101]);
    expect(await statuses(gateway, 2, forwardedFor('2001:db8:1:2:ffff::9'))).toEqual([101, 429]);
    expect(await statuses(gateway, 1, forwardedFor('2001:db8:1:3::1'))).toEqual([101]);
  });

  it('is the same for messages', async () => {
    const as = (address: string): Promise<Client> =>
      connectClient(gateway.url, { headers: { 'X-Forwarded-For': address } });
    const clients = [await as('2001:db8:9:9::1'), await as('2001:db8:9:9::2')] as const;
    const other = await as('2001:db8:9:a::1');
    expect(await answeredOf(clients[0], 5)).toBe(5);
    expect(await answeredOf(clients[1], 5)).toBe(3);
    expect(await answeredOf(other, 10)).toBe(8);
  });
});

it('counts by address over IPv6 too, and believes a proxy there', async () => {
  const gateway = await startGateway({
    args: ['--host', '::'],
    config: {
      listen: { trustedProxies: ['::1'] },
      rateLimits: [
        {
          scope: 'ip',
          unit: 'connections',
          strategy: 'token-bucket',
          requestsPerSecond: 0.001,
          burst: 2,
        },
      ],
    },
  });
  const url = `ws://[::1]:${gateway.port}/ws`;
  const statusOf = async (headers: Record<string, string> = {}): Promise<number> => {
    try {
      await connectClient(url, { headers });
      return 101;
    } catch (error) {
      return Number(/\d+$/.exec((error as Error).message)?.[0]);
    }
  };
  const viaProxy = (address: string): Promise<number> => statusOf({ 'X-Forwarded-For': address });
  expect([await statusOf(), await statusOf(), await statusOf()]).toEqual([101, 101, 429]);
  expect([await viaProxy('2001:db8::1'), await viaProxy('2001:db8::2')]).toEqual([101, 101]);
  expect([await viaProxy('2001:db8::3'), await viaProxy('2001:db8:0:1::3')]).toEqual([429, 101]);
  expect(await statuses(gateway, 3, forwardedFor('2001:db8:0:2::1')), 'IPv4 is no proxy here').toEqual([
    ...[101, 101, 429],
  ]);
});

it('lets a client that was refused before it got in use up nothing of the others', async () => {
  const gateway = await startLimited([{ scope: 'ip', burst: 4 }], { listen: { maxConnections: 2 } });
  const first = await RawClient.upgrade(gateway.port);
  const second = await RawClient.upgrade(gateway.port, { from: '127.0.0.2' });
  expect([first.answer.status, second.answer.status]).toEqual([101, 101]);
  expect(await statuses(gateway, 4, {}), 'there is no place, and then no allowance either').toEqual([
    ...[503, 503, 503, 429],
  ]);
  first.client.destroy();
  expect(await eventually(() => admitted(gateway, '127.0.0.3')), 'a place and an allowance').toBe(101);
});

describe('a limit that is at fault', () => {
  it.each<[string[], RegExp]>([
    [['--rate-limit', 'token-bucket:5'], /--rate-limit token-bucket:5.*<strategy>:<n>\/s/],
    [['--rate-limit', 'tokenbucket:5/s'], /tokenbucket.*token-bucket, leaky-bucket or sliding-window/],
    [['--rate-limit', 'token-bucket:5/s,burst=0'], /burst.*0.*whole number from 1/],
    [['--rate-limit', 'token-bucket:5/s,per=route'], /per=route: not <strategy>.*connection\|ip\|/],
    [['--rate-limit', 'token-bucket:5/s', '--rate-limit', 'token-bucket:5/s'], /5\/s: the same as/],
  ])('stops the start with one clear line: %j', async (args, line) => {
    const child = runWsluice(args);
    expect(await child.exited).toBe(1);
    const lines = child.output().trim().split('\n');
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });

  it('is not one that cannot work as it stands: the log says so', async () => {
    const gateway = await startGateway({
      args: ['--rate-limit', 'token-bucket:5/s,per=identity'],
    });
    expect(gateway.output()).toMatch(/nobody has an identity: the address counts/);
  });
});

async function admitted(gateway: Gateway, from: string): Promise<number> {
  const { status } = await askUpgrade(gateway.port, { from });
  expect(status).toBe(101);
  return status;
}
