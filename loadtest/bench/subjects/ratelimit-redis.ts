import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import { RedisLimiter } from '../../../ratelimit/shared/redis-limiter.ts';
import { RedisLink } from '../../../ratelimit/shared/redis-link.ts';
import type { LeaseRequest } from '../../../ratelimit/shared/lease-script.ts';
import { TokenBucket } from '../../../ratelimit/token-bucket.ts';
import { freePort, portOpen } from '../../stand/ports.ts';
import type { Bench } from '../subject.ts';
import { median } from '../../result/median.ts';

const redisFile = '/usr/bin/redis-server';
const startTimeoutMs = 10_000;
const rounds = 5;
const sliceMs = 200;
const takesPerTurn = 1_000;
const wanted = 50;

/** What a message costs under a limit that gateways share, in nanoseconds; medians of rounds in turns. */
export interface RedisLeaseFigures {
  /** Decided from a lease, leasing included. */
  readonly leasedNs: number;
  /** Decided by asking Redis and waiting. */
  readonly roundTripNs: number;
  readonly timesFaster: number;
}

/** Compares leases to a round trip per message, at one Redis, and prints it; undefined, and a line about it, without Redis. */
export async function measureRedisLeases({
  children,
  dir,
  print,
  progress,
}: Bench): Promise<RedisLeaseFigures | undefined> {
  if (!existsSync(redisFile)) {
    print('ratelimit: no redis-server here (apt-get install redis-server), so leases are not measured\n');
    return undefined;
  }
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir];
  const server = children.start({ name: 'redis-server', command: redisFile, args });
  await children.watch('starting redis-server', startTimeoutMs, (over) => portOpen(port, over));
  const now = (): number => performance.now();
  const link = new RedisLink({
    target: {
      ...{ kind: 'single', nodes: [{ host: '127.0.0.1', port }], tls: false, master: undefined, database: 0 },
      ...{ username: undefined, password: undefined },
    },
    ...{ probeKey: 'bench:probe', onState: () => undefined, now, random: Math.random },
  });
  await children.watch('connecting to redis-server', startTimeoutMs, untilUp(link));
  const limiter = plentyOf(link, now);
  const leased: number[] = [];
  const asked: number[] = [];
  for (let round = 0; round < rounds; round++) {
    progress(`ratelimit: leases through Redis, round ${round + 1} of ${rounds} …`);
    leased.push(await nsPerLeasedTake(limiter, now));
    asked.push(await nsPerRoundTrip(link, now));
  }
  limiter.close();
  link.close();
  await server.stop();
  const figures = {
    leasedNs: median(leased),
    roundTripNs: median(asked),
    timesFaster: median(leased.map((ns, round) => asked[round]! / ns)),
  };
  print(line(figures));
  return figures;
}

const settings = { ratePerSecond: 1e9, burst: 1e9, windowMs: 1000 };

function plentyOf(link: RedisLink, nowMs: () => number): RedisLimiter {
  return new RedisLimiter({
    ...{ name: 'bench', strategy: 'token-bucket', settings, slots: 1, link, keyPrefix: 'bench:' },
    ...{ onFailure: 'closed', fallback: new TokenBucket(settings, 1), nowMs },
    onDecided: () => undefined,
  });
}

/** A thousand messages each turn, as a busy gateway has them; only those that passed count. */
async function nsPerLeasedTake(limiter: RedisLimiter, now: () => number): Promise<number> {
  let passed = 0;
  const startedMs = now();
  let turnMs = startedMs;
  for (; turnMs - startedMs < sliceMs; turnMs = now()) {
    for (let i = 0; i < takesPerTurn; i++) if (limiter.take(0, 1, turnMs) === 0) passed++;
    await nextTurn();
  }
  return ((turnMs - startedMs) * 1e6) / passed;
}

async function nsPerRoundTrip(link: RedisLink, now: () => number): Promise<number> {
  const request: LeaseRequest = {
    ...{ strategy: 'token-bucket', settings, want: 1, least: 1, returned: 0, blockMs: 0 },
  };
  let passed = 0;
  const startedMs = now();
  while (now() - startedMs < sliceMs)
    if ((await link.ask('bench:each', request, startTimeoutMs))?.granted === 1) passed++;
  return ((now() - startedMs) * 1e6) / passed;
}

async function untilUp(link: RedisLink): Promise<void> {
  while (!link.up) await sleep(5);
}

function line({ leasedNs, roundTripNs, timesFaster }: RedisLeaseFigures): string {
  const verdict = `goal ≥ ${wanted}: ${timesFaster >= wanted ? 'met' : 'missed'}`;
  const [leased, asked] = [leasedNs.toFixed(1), (roundTripNs / 1000).toFixed(1)];
  return `ratelimit, shared through Redis: leased ${leased} ns a message, a round trip for each ${asked} µs: ${Math.round(timesFaster)}× (${verdict})\n`;
}
