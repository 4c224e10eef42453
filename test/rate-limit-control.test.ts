import { writeFileSync } from 'node:fs';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectClient } from './support/client.ts';
import type { Client } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { configFile, startGateway } from './support/gateway.ts';
import type { Gateway } from './support/gateway.ts';
import { getLimits, putLimits } from './support/limits-api.ts';
import type { LimitInput } from './support/limits-api.ts';
import { bucket, startLimited } from './support/limited-gateway.ts';
import { answeredOf, decisionsOf, fireVolley, request } from './support/volley.ts';

const CLIENTS = 100;

/** How requests of all clients, that many each and all at once, were answered; fails unless all clients had the same. */
async function answeredEach(clients: readonly Client[], count: number): Promise<number> {
  const answered = await Promise.all(clients.map((client) => answeredOf(client, count)));
  expect(new Set(answered), 'all the same').toHaveLength(1);
  return answered[0]!;
}

async function expectAllConnected(gateway: Gateway, clients: readonly Client[]): Promise<void> {
  const states = clients.map(({ socket }) => socket.readyState === socket.OPEN);
  expect(states.filter((isOpen) => isOpen)).toHaveLength(clients.length);
  expect((await gateway.metrics()).sum('websocket_connections_total')).toBe(clients.length);
}

const connectAll = (gateway: Gateway): Promise<Client[]> =>
  Promise.all(Array.from({ length: CLIENTS }, () => connectClient(gateway.url)));

/** A limit of that strategy by how much it lets through at once. */
const limitOf =
  (strategy: LimitInput['strategy']) =>
  (burst: number): LimitInput =>
    // A window of ten minutes moves as little as a bucket that is hardly refilled.
    strategy === 'sliding-window'
      ? bucket({ strategy, windowMs: 600_000, requestsPerSecond: burst / 600 })
      : bucket({ strategy, burst });

const configOf = (rateLimits: unknown): Record<string, unknown> => ({
  pools: { main: { mode: 'request' } },
  rateLimits,
});

describe('PUT /api/limits', () => {
  let gateway: Gateway;
  let clients: Client[];

  beforeAll(async () => {
    gateway = await startLimited([]);
    clients = await connectAll(gateway);
  });

  beforeEach(() => putLimits(gateway, []));

  it.each(['token-bucket', 'leaky-bucket', 'sliding-window'] as const)(
    'raises and lowers a %s under 100 connected clients, and keeps what they used',
    async (strategy) => {
      const of = limitOf(strategy);
      expect((await putLimits(gateway, [of(10)])).status).toBe(200);
      expect(await answeredEach(clients, 3)).toBe(3);
      expect((await putLimits(gateway, [of(5)])).status).toBe(200);
      expect(await answeredEach(clients, 5), 'two of five are left').toBe(2);
      expect((await putLimits(gateway, [of(20)])).status).toBe(200);
      expect(await answeredEach(clients, 20), 'fifteen of twenty are left').toBe(15);
      await expectAllConnected(gateway, clients);
      const newcomer = await connectClient(gateway.url);
      expect(await answeredOf(newcomer, 25)).toBe(20);
      await newcomer.close();
    },
  );

  it.each(['token-bucket', 'leaky-bucket', 'sliding-window'] as const)(
    'forgives who used more than a %s was lowered to, once it is raised again',
    async (strategy) => {
      const of = limitOf(strategy);
      await putLimits(gateway, [of(10)]);
      expect(await answeredEach(clients, 5)).toBe(5);
      await putLimits(gateway, [of(3)]);
      expect(await answeredEach(clients, 1), 'five of three are used').toBe(0);
      await putLimits(gateway, [of(20)]);
      expect(await answeredEach(clients, 20), 'fifteen of twenty are left').toBe(15);
    },
  );

  it('sets limits where there were none, and takes all away', async () => {
    expect(await answeredEach(clients, 30)).toBe(30);
    const perRoute = { scope: 'route', per: 'connection', burst: 4 } as const;
    const { status, limits } = await putLimits(gateway, [bucket({ burst: 7 }), bucket(perRoute)]);
    expect(status).toBe(200);
    expect(limits?.map(({ config: { scope, burst } }) => [scope, burst])).toEqual([
      ['connection', 7],
      ['route', 4],
    ]);
    expect(await answeredEach(clients, 6)).toBe(4);
    expect((await putLimits(gateway, [bucket({ burst: 7 })])).status).toBe(200);
    expect(await answeredEach(clients, 6), 'four of seven are used').toBe(3);
    expect((await putLimits(gateway, [])).limits).toEqual([]);
    expect(await answeredEach(clients, 30)).toBe(30);
    await expectAllConnected(gateway, clients);
  });

  it('changes what happens above a limit', async () => {
    const some = [await connectClient(gateway.url), await connectClient(gateway.url)] as const;
    await putLimits(gateway, [bucket({ burst: 2 })]);
    expect(await answeredEach(some, 3)).toBe(2);
    await putLimits(gateway, [bucket({ burst: 2, dryRun: true })]);
    expect(await answeredEach(some, 3)).toBe(3);
    await putLimits(gateway, [bucket({ burst: 2, onExceed: 'close' })]);
    some[0].send(request('too many'));
    expect((await some[0].closed).code).toBe(1008);
    await putLimits(gateway, [bucket({ requestsPerSecond: 100, burst: 5, onExceed: 'delay' })]);
    expect(await answeredOf(some[1], 30), 'some at once, the others by and by').toBe(30);
    expect(await decisionsOf(gateway, 'connection', 'delayed')).toBeGreaterThan(0);
  });

  it('keeps the counts of limits that are gone, and is said in the log', async () => {
    const scope = 'route';
    await putLimits(gateway, [bucket({ scope, burst: 2 })]);
    const [before, rejected] = [await decisionsOf(gateway, scope, 'allowed'), 3];
    await fireVolley(await connectClient(gateway.url), 5);
    await putLimits(gateway, []);
    expect(await decisionsOf(gateway, scope, 'allowed')).toBe(before + 2);
    expect(await decisionsOf(gateway, scope, 'rejected')).toBeGreaterThanOrEqual(rejected);
    const msg = 'rate limits replaced by PUT /api/limits';
    await eventually(() =>
      expect(gateway.logs()).toContainEqual(expect.objectContaining({ msg, limits: 1 })),
    );
  });
});

describe('a PUT that is refused', () => {
  let gateway: Gateway;
  let client: Client;

  beforeAll(async () => {
    gateway = await startLimited([{ burst: 100 }]);
    client = await connectClient(gateway.url);
    await fireVolley(client, 40);
  });

  const put = async (body: string, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.adminUrl}/api/limits`, { method: 'PUT', body, headers });

  const bursts = async (): Promise<unknown[]> =>
    (await getLimits(gateway)).limits.map(({ config }) => config.burst);

  it.each<[string, unknown, RegExp[]]>([
    ['a wrong value', [{ ...bucket({}), burst: 0 }], [/rateLimits\[0\]\.burst: 0 is not a whole number/]],
    ['an unknown key', [{ ...bucket({}), rate: 5 }], [/rate/]],
    ['an unknown route', [bucket({ scope: 'route', match: '/nope' })], [/match: "\/nope".*there is \/ws/]],
    [
      'several faults',
      [bucket({ burst: 5 }), { ...bucket({}), scope: 'nobody' }, bucket({ scope: 'method' })],
      [/rateLimits\[1\]\.scope/, /rateLimits\[2\]\.match/],
    ],
    ['no list', { limits: [] }, [/not a JSON list/]],
  ])('is answered 400 with each fault for %s, and changes nothing', async (_what, body, faults) => {
    const answer = await put(JSON.stringify(body));
    expect(answer.status).toBe(400);
    const { faults: lines } = (await answer.json()) as { faults: string[] };
    expect(lines).toHaveLength(faults.length);
    for (const [index, fault] of faults.entries()) expect(lines[index]).toMatch(fault);
    expect(await bursts()).toEqual([100]);
  });

  it('is answered 400 for what is no JSON', async () => {
    expect((await put('[{')).status).toBe(400);
    expect(await bursts()).toEqual([100]);
  });

  it.each(['https://evil.example', 'http://localhost.evil.example', 'null'])(
    'is answered 403 for a page of %s',
    async (Origin) => {
      expect((await put(JSON.stringify([bucket({ burst: 1 })]), { Origin })).status).toBe(403);
      expect(await bursts()).toEqual([100]);
    },
  );

  it('has cost the clients nothing', async () => {
    expect(await answeredOf(client, 80)).toBe(60);
    expect((await put(JSON.stringify([bucket({ burst: 101 })]), { Origin: gateway.adminUrl })).status).toBe(
      200,
    );
    expect(await answeredOf(client, 3)).toBe(1);
  });
});

describe('SIGHUP', () => {
  let path: string;
  let gateway: Gateway;
  let clients: Client[];

  beforeEach(async () => {
    path = configFile(configOf([bucket({ burst: 10 })]));
    gateway = await startGateway({ args: ['--config', path] });
    clients = await connectAll(gateway);
    expect(await answeredEach(clients, 3)).toBe(3);
  });

  const rewrite = async (text: string, message: RegExp, times = 1): Promise<Record<string, unknown>> => {
    writeFileSync(path, text);
    gateway.signal('SIGHUP');
    return eventually(() => {
      const found = gateway.logs().filter(({ msg }) => message.test(String(msg)));
      expect(found).toHaveLength(times);
      return found.at(-1)!;
    });
  };

  it('puts the limits of a changed file in force under 100 connected clients', async () => {
    const file = (burst: number): string => JSON.stringify(configOf([bucket({ burst })]));
    expect(await rewrite(file(5), /rate limits reloaded/)).toMatchObject({ limits: 1 });
    expect(await answeredEach(clients, 5), 'two of five are left').toBe(2);
    await rewrite(file(20), /rate limits reloaded/, 2);
    expect(await answeredEach(clients, 20), 'fifteen of twenty are left').toBe(15);
    await putLimits(gateway, [bucket({ burst: 22 })]);
    expect(await answeredEach(clients, 5), 'changed from both sides').toBe(2);
    await rewrite(file(21), /rate limits reloaded/, 3);
    expect(await answeredEach(clients, 5)).toBe(0);
    await expectAllConnected(gateway, clients);
  });

  it('changes nothing when the file is broken, and says each fault', async () => {
    const broken = JSON.stringify(configOf([{ ...bucket({}), burst: 0 }]));
    expect(await rewrite(broken, /nothing is reloaded/)).toMatchObject({
      level: 50,
      fault: expect.stringMatching(/rateLimits\[0\]\.burst/) as string,
    });
    await rewrite('rateLimits: [', /nothing is reloaded/, 2);
    expect(await answeredEach(clients, 10), 'seven of ten are left').toBe(7);
    await expectAllConnected(gateway, clients);
    await rewrite(JSON.stringify(configOf([])), /rate limits reloaded/);
    expect(await answeredEach(clients, 10), 'mended').toBe(10);
  });
});
