import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { undecided, type LimiterSettings } from '../ratelimit/limiter.ts';
import type { LeaseAnswer, LeaseRequest } from '../ratelimit/shared/lease-script.ts';
import { RedisLimiter, type RedisLimiterOptions } from '../ratelimit/shared/redis-limiter.ts';
import { RedisLink } from '../ratelimit/shared/redis-link.ts';
import { parseRedisUrl } from '../ratelimit/shared/redis-url.ts';
import { TokenBucket } from '../ratelimit/token-bucket.ts';
import { eventually } from './support/eventually.ts';
import { seededRandom } from './support/random.ts';
import { startCluster, startRedis, startSentinel, type RedisServer } from './support/redis.ts';
import { onTearDown } from './support/tear-down.ts';

const now = (): number => performance.now();
/** Within what time there is a decision, whatever Redis does. */
const decisionMs = 50;

function openLink(url: string, states: string[] = []): RedisLink {
  const target = parseRedisUrl(url);
  if (typeof target === 'string') throw new Error(`the URL ${target}`);
  const onState = (up: boolean, reason: string): void => void states.push(`${up ? 'up' : 'down'}: ${reason}`);
  const link = new RedisLink({ target, probeKey: 't:probe', onState, now, random: Math.random });
  onTearDown(() => link.close());
  return link;
}

/** One gateway: its link, a limiter, and messages that are held while nothing is decided about them. */
class Gateway {
  readonly states: string[] = [];
  readonly link: RedisLink;
  readonly limiter: RedisLimiter;
  /** The longest that a decision took, in milliseconds. */
  slowestMs = 0;
  readonly #clock: () => number;
  #held: { slot: number; atMs: number; resolve: (waitMs: number) => void }[] = [];

  constructor(url: string, settings: LimiterSettings, options: Partial<RedisLimiterOptions> = {}) {
    const slots = 64;
    this.#clock = options.nowMs ?? now;
    this.link = openLink(url, this.states);
    this.limiter = new RedisLimiter({
      ...{ name: 'shared', strategy: 'token-bucket', settings, slots, link: this.link, keyPrefix: 't:' },
      ...{ onFailure: 'local', fallback: new TokenBucket(settings, slots), nowMs: now },
      onDecided: (slot) => this.#retake(slot),
      ...options,
    });
    for (let slot = 0; slot < slots; slot++) this.limiter.reset(slot, `key ${slot}`);
    onTearDown(() => this.limiter.close());
  }

  /** 0 when a message may pass, else milliseconds to wait. */
  decide(slot = 0): Promise<number> {
    const waitMs = this.decideNow(slot);
    if (waitMs !== undecided) return Promise.resolve(waitMs);
    return new Promise((resolve) => this.#held.push({ slot, atMs: now(), resolve }));
  }

  decideNow(slot = 0): number {
    return this.limiter.take(slot, 1, this.#clock());
  }

  async isUp(): Promise<void> {
    await eventually(() => expect(this.link.up).toBe(true), 15_000);
  }

  #retake(slot: number): void {
    const held = this.#held;
    this.#held = [];
    for (const message of held) {
      const waitMs = message.slot === slot ? this.decideNow(slot) : undecided;
      if (waitMs === undecided) {
        this.#held.push(message);
        continue;
      }
      this.slowestMs = Math.max(this.slowestMs, now() - message.atMs);
      message.resolve(waitMs);
    }
  }
}

/** Runs `work` and returns by how much at most this machine held a timer up meanwhile. */
async function latenessMs(work: () => Promise<void>): Promise<number> {
  let [lastMs, latestMs] = [now(), 0];
  const timer = setInterval(() => {
    latestMs = Math.max(latestMs, now() - lastMs - 2);
    lastMs = now();
  }, 2);
  await work();
  clearInterval(timer);
  return latestMs;
}

const thousand: LimiterSettings = { ratePerSecond: 1000, burst: 20, windowMs: 1000 };

/** Microseconds on the clock of Redis. */
async function redisTimeUs({ client }: RedisServer): Promise<number> {
  const [seconds, micros] = await client.time();
  return Number(seconds) * 1e6 + Number(micros);
}

it.each([
  ['an even rate', { ratePerSecond: 5000, burst: 50, windowMs: 1000 }],
  ['an odd rate', { ratePerSecond: 333.3, burst: 7, windowMs: 1000 }],
])('never grants more than a bucket has, whoever asks and gives back: %s', async (_, settings) => {
  const server = await startRedis();
  const links = [1, 2, 3].map(() => openLink(server.url));
  for (const link of links) await eventually(() => expect(link.up).toBe(true));
  const random = seededRandom(7);
  const below = (bound: number): number => Math.floor(random() * bound);
  const held = [0, 0, 0];
  let granted = 0;
  let returned = 0;
  let isStarved = false;
  const ask = async (who: number): Promise<LeaseAnswer> => {
    const back = below(3) === 0 ? below(held[who]! + 1) : 0;
    const least = 1 + below(settings.burst);
    const want = below(8) === 0 ? 0 : least + below(settings.burst);
    held[who]! -= back;
    returned += back;
    const request: LeaseRequest = {
      ...{ strategy: 'leaky-bucket', settings, want, least, returned: back, blockMs: 0 },
    };
    const answer = (await links[who]!.ask('t:model', request, 1000))!;
    held[who]! += answer.granted;
    granted += answer.granted;
    if (want > 0 && answer.granted > 0) expect(answer.granted).toBeGreaterThanOrEqual(least);
    if (want > 0 && answer.granted === 0) expect(answer.waitMs).toBeGreaterThan(0);
    return answer;
  };
  const beforeUs = await redisTimeUs(server);
  for (let round = 0; round < 400; round++) {
    const answers = await Promise.all([ask(below(3)), ask(below(3)), ask(below(3))]);
    isStarved ||= answers.some((answer) => answer.granted === 0);
    const elapsedUs = (await redisTimeUs(server)) - beforeUs;
    const allowed = settings.burst + (settings.ratePerSecond * elapsedUs) / 1e6;
    expect(granted - returned).toBeLessThanOrEqual(allowed);
  }
  expect(isStarved).toBe(true);
});

it('fills a bucket that is emptied again and again at its rate, to a unit', async () => {
  const server = await startRedis();
  const link = openLink(server.url);
  await eventually(() => expect(link.up).toBe(true));
  for (const ratePerSecond of [0.7, 333.3, 5_000, 1e6]) {
    const settings = { ratePerSecond, burst: 1e6, windowMs: 1000 };
    const request = { strategy: 'token-bucket', settings, want: 1e6, least: 1, returned: 0 } as const;
    const key = `t:refill ${ratePerSecond}`;
    const empty = async (): Promise<number> =>
      (await link.ask(key, { ...request, blockMs: 0 }, 1000))!.granted;
    const beforeUs = await redisTimeUs(server);
    expect(await empty()).toBe(1e6);
    const afterUs = await redisTimeUs(server);
    let filled = 0;
    for (let i = 0; i < 1_000; i++) filled += await empty();
    const lastBeforeUs = await redisTimeUs(server);
    filled += await empty();
    const lastAfterUs = await redisTimeUs(server);
    expect(filled).toBeLessThanOrEqual((ratePerSecond * (lastAfterUs - beforeUs)) / 1e6);
    expect(filled).toBeGreaterThan((ratePerSecond * (lastBeforeUs - afterUs)) / 1e6 - 1.1);
  }
});

it('forgets keys that are as good as fresh, and keeps what a key owes', async () => {
  const server = await startRedis();
  const link = openLink(server.url);
  await eventually(() => expect(link.up).toBe(true));
  const ask = async (
    key: string,
    strategy: LeaseRequest['strategy'],
    units: number,
    blockMs = 0,
  ): Promise<LeaseAnswer> => {
    const settings = { ratePerSecond: 10, burst: 10, windowMs: 1000 };
    const rest = { want: units, least: units, returned: 0, blockMs } as const;
    return (await link.ask(key, { strategy, settings, ...rest }, 1000))!;
  };
  for (const strategy of ['token-bucket', 'sliding-window'] as const) {
    // More than it can ever hold passes once, and is paid off.
    expect(await ask(strategy, strategy, 40)).toMatchObject({ granted: 40, waitMs: 0 });
    const { granted, waitMs } = await ask(strategy, strategy, 1);
    expect(granted).toBe(0);
    expect(waitMs).toBeGreaterThan(2_900);
    const livesMs = await server.client.pttl(strategy);
    expect(livesMs).toBeGreaterThan(waitMs);
    expect(livesMs).toBeLessThan(8_000);
    // A block is one for all.
    const boxed = `boxed ${strategy}`;
    expect(await ask(boxed, strategy, 10)).toMatchObject({ granted: 10 });
    expect(await ask(boxed, strategy, 0, 5_000)).toEqual({ granted: 0, waitMs: 5_000, blocked: true });
    const again = await ask(boxed, strategy, 1);
    expect([again.granted, again.blocked]).toEqual([0, true]);
    expect(again.waitMs).toBeLessThanOrEqual(5_000);
  }
});

it.each([
  ['token-bucket', 40],
  ['sliding-window', 120],
] as const)('hears of what was used without a lease: %s', async (strategy, capacity) => {
  const server = await startRedis();
  const link = openLink(server.url);
  await eventually(() => expect(link.up).toBe(true));
  const settings = { ratePerSecond: 0.001, burst: 40, windowMs: 120_000_000 };
  const ask = async (want: number, returned: number): Promise<number> => {
    const request = { strategy, settings, want, least: want, returned, blockMs: 0 } as const;
    return (await link.ask('t:unleased', request, 1000))!.granted;
  };
  expect(await ask(0, -4)).toBe(0);
  expect([await ask(capacity - 3, 0), await ask(capacity - 4, 0)]).toEqual([0, capacity - 4]);
});

it('refuses in a sliding window what the last one still covers, on the clock of Redis', async () => {
  const server = await startRedis();
  const link = openLink(server.url);
  await eventually(() => expect(link.up).toBe(true));
  const settings = { ratePerSecond: 1000, burst: 1, windowMs: 100 };
  let granted = 0;
  const beforeUs = await redisTimeUs(server);
  while ((await redisTimeUs(server)) - beforeUs < 1_000_000) {
    const rest = { want: 7, least: 1, returned: 0, blockMs: 0 } as const;
    granted += (await link.ask('t:window', { strategy: 'sliding-window', settings, ...rest }, 1000))!.granted;
  }
  const seconds = ((await redisTimeUs(server)) - beforeUs) / 1e6;
  // Two windows may be begun on, and each window may hold somewhat less than its full share of the one before.
  expect(granted).toBeLessThanOrEqual(1000 * seconds + 200);
  expect(granted).toBeGreaterThan(800 * seconds);
});

it('admits as much in three gateways as in one, under skewed load and on clocks that differ', async () => {
  const server = await startRedis();
  const clocks = [now, () => now() * 1.5, () => now() * 0.8 + 1e9];
  const gateways = clocks.map((nowMs) => new Gateway(server.url, thousand, { nowMs, onFailure: 'closed' }));
  for (const gateway of gateways) await gateway.isUp();
  let admitted = 0;
  let decided = 0;
  let offered = 0;
  const offer = async (gateway: Gateway): Promise<void> => {
    offered++;
    const waitMs = await gateway.decide();
    decided++;
    if (waitMs === 0) admitted++;
  };
  const callsBefore = await callsOf(server);
  const startedUs = await redisTimeUs(server);
  const startedMs = now();
  for (let elapsedMs = 0; elapsedMs < 5_000; elapsedMs = now() - startedMs) {
    // 2,500 a second, most of them at one gateway, and that is another one every 700 ms.
    const busiest = Math.floor(elapsedMs / 700);
    for (; offered < elapsedMs * 2.5;) {
      const place = offered % 20;
      void offer(gateways[(busiest + (place < 16 ? 0 : place < 19 ? 1 : 2)) % 3]!);
    }
    await sleep(1);
  }
  await eventually(() => expect(decided).toBe(offered));
  const seconds = ((await redisTimeUs(server)) - startedUs) / 1e6;
  const calls = (await callsOf(server)) - callsBefore;
  expect(admitted).toBeLessThanOrEqual(1000 * seconds + thousand.burst);
  expect(admitted).toBeGreaterThanOrEqual(950 * seconds);
  expect(calls).toBeLessThan(decided / 4);
  report('three gateways', { admittedPerSecond: admitted / seconds, callsPerSecond: calls / seconds });
}, 20_000);

it.each([
  ['local', 20],
  ['open', 60],
  ['closed', 0],
] as const)(
  'decides in time as configured, %s, while Redis is stopped, and recovers',
  async (onFailure, passing) => {
    const server = await startRedis();
    const gateway = new Gateway(server.url, { ...thousand, ratePerSecond: 0.001 }, { onFailure });
    await gateway.isUp();
    expect(await gateway.decide(1)).toBe(0);
    server.freeze();
    let waits: number[] = [];
    const late = await latenessMs(async () => {
      const pending = Array.from({ length: 60 }, () => gateway.decide());
      waits = await Promise.all(pending);
    });
    expect(waits.filter((waitMs) => waitMs === 0).length).toBe(passing);
    expect(gateway.slowestMs).toBeLessThan(decisionMs + late);
    expect(gateway.decideNow()).not.toBe(undecided);
    report(`stopped, ${onFailure}`, { slowestMs: gateway.slowestMs, lateMs: late });
    await sleep(300);
    server.thaw();
    await gateway.isUp();
    expect(await gateway.decide(2)).toBe(0);
    expect(gateway.states.map((state) => state.slice(0, 4))).toEqual(['up: ', 'down', 'up: ']);
    // What was asked before it stopped, and nothing else, is all it has to do now.
    expect(Number(/connected_clients:(\d+)/.exec(await server.client.info('clients'))![1])).toBeLessThan(6);
  },
);

it('recovers by itself when Redis is killed and comes back empty', async () => {
  const server = await startRedis();
  const gateway = new Gateway(server.url, { ...thousand, ratePerSecond: 0.001 }, { onFailure: 'closed' });
  await gateway.isUp();
  expect(await Promise.all(Array.from({ length: 21 }, () => gateway.decide()))).toContain(0);
  await server.kill();
  await eventually(() => expect(gateway.link.up).toBe(false));
  expect(gateway.decideNow(3)).toBe(1000);
  await sleep(600);
  expect(gateway.states.length).toBe(2);
  await server.restart();
  await gateway.isUp();
  // The script is not there any more, nor what was used.
  expect(await gateway.decide(3)).toBe(0);
  expect(gateway.slowestMs).toBeLessThan(200);
});

it('survives that somebody flushes the scripts', async () => {
  const server = await startRedis();
  const gateway = new Gateway(server.url, thousand, { onFailure: 'closed' });
  await gateway.isUp();
  expect(await gateway.decide(0)).toBe(0);
  await server.client.script('FLUSH');
  expect(await gateway.decide(1)).toBe(0);
  expect(gateway.states).toEqual(['up: answers']);
});

it('does not take a replica for a Redis that can be used', async () => {
  const master = await startRedis();
  const replica = await startRedis([`replicaof 127.0.0.1 ${master.port}`]);
  const gateway = new Gateway(replica.url, thousand);
  await eventually(() => expect(gateway.states).toEqual(['down: READONLY']));
  await sleep(300);
  expect(gateway.states).toEqual(['down: READONLY']);
});

it('says nothing of a password that is wrong', async () => {
  const server = await startRedis(['user default on nopass ~* +@all', 'user me on >right ~* +@all']);
  const gateway = new Gateway(server.url.replace('//', '//me:canary@'), thousand);
  await eventually(() => expect(gateway.states).toEqual(['down: WRONGPASS']));
});

it('follows a failover that a sentinel makes', async () => {
  const { master, replica, url } = await startSentinel();
  const gateway = new Gateway(url, { ...thousand, ratePerSecond: 0.001 }, { onFailure: 'closed' });
  await gateway.isUp();
  expect(await Promise.all([1, 2, 3].map(() => gateway.decide()))).toEqual([0, 0, 0]);
  await eventually(async () => expect(await replica.client.dbsize()).toBeGreaterThanOrEqual(1));
  await master.kill();
  await eventually(() => expect(gateway.link.up).toBe(false));
  expect(gateway.decideNow(1)).toBe(1000);
  await gateway.isUp();
  expect(await replica.client.role()).toContain('master');
  const waits = await Promise.all(Array.from({ length: 20 }, () => gateway.decide()));
  // The replica knew what was used.
  expect(waits.filter((waitMs) => waitMs === 0).length).toBe(17);
}, 40_000);

it('spreads keys over a cluster, and recovers when one of its nodes was stopped', async () => {
  const { nodes, url } = await startCluster();
  const gateway = new Gateway(url, { ...thousand, ratePerSecond: 0.001 }, { onFailure: 'closed' });
  await gateway.isUp();
  const all = Array.from({ length: 64 }, (_, slot) => slot);
  expect(await Promise.all(all.map((slot) => gateway.decide(slot)))).toEqual(all.map(() => 0));
  for (const { client } of nodes) expect(await client.dbsize()).toBeGreaterThan(5);
  nodes[1]!.freeze();
  const waits = await Promise.all(all.map((slot) => gateway.decide(slot)));
  expect(waits).toContain(1000);
  await eventually(() => expect(gateway.link.up).toBe(false));
  nodes[1]!.thaw();
  await gateway.isUp();
  expect(await Promise.all(all.map((slot) => gateway.decide(slot)))).toEqual(all.map(() => 0));
}, 40_000);

async function callsOf({ client }: RedisServer): Promise<number> {
  const stats = await client.info('commandstats');
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

function report(what: string, figures: Readonly<Record<string, number>>): void {
  const words = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(1)}`);
  console.log(`${what}: ${words.join(', ')}`);
}
