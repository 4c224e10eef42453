/**
 * Three gateways under one limit of 1,000 requests a second for a minute, shared through a real Redis, with 2.5 times as much
 * offered, most of it at one gateway and then at another: `node test/long/redis-sixty-seconds.ts [seconds]`. Prints what was
 * admitted and ends with 1 when that is not between 95 and 100 % of the limit.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Children } from '../../loadtest/stand/children.ts';
import { freePort, portOpen } from '../../loadtest/stand/ports.ts';
import { startGateway } from '../../loadtest/stand/servers.ts';
import { offerSkewedLoad, type LoadFigures } from '../support/skewed-load.ts';

const gatewayFile = join(import.meta.dirname, '../../server/main.ts');
const [perSecond, burst, overload] = [1_000, 20, 2.5];
const seconds = Number(process.argv[2] ?? 60);

const dir = mkdtempSync(join(tmpdir(), 'wsluice-redis-'));
const children = new Children();
try {
  process.exitCode = (await run()) ? 0 : 1;
} finally {
  await children.stopAll();
  rmSync(dir, { recursive: true, force: true });
}

async function run(): Promise<boolean> {
  const port = await freePort();
  const settings = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', dir];
  children.start({ name: 'redis-server', command: 'redis-server', args: settings });
  await children.watch('starting Redis', 10_000, (over) => portOpen(port, over));
  const redis = new Redis(port, '127.0.0.1');
  const args = ['--mode', 'request', '--redis', `redis://127.0.0.1:${port}`];
  const limit = ['--rate-limit', `token-bucket:${perSecond}/s,burst=${burst},per=global`];
  const options = { file: gatewayFile, args: [...args, ...limit], cpuProfileDir: undefined };
  const gateways = await Promise.all([1, 2, 3].map(() => startGateway(children, options)));
  const callsBefore = await leasesOf(redis);
  const figures = await children.watch(
    'the load',
    (seconds + 30) * 1_000,
    offerSkewedLoad({
      urls: gateways.map((gateway) => `ws://127.0.0.1:${gateway.port}${gateway.path}`),
      ...{ clientsPerUrl: 10, seconds, perSecond: overload * perSecond },
      ...{ shares: [0.8, 0.15, 0.05], turnMs: 700 },
      timeUs: async () => {
        const [wholeSeconds, micros] = await redis.time();
        return Number(wholeSeconds) * 1e6 + Number(micros);
      },
    }),
  );
  const calls = (await leasesOf(redis)) - callsBefore;
  redis.disconnect();
  return report(figures, calls);
}

function report(figures: LoadFigures, calls: number): boolean {
  const { offered, answered, refused, faults, elapsedSeconds, idleSeconds, latenciesMs } = figures;
  const most = Math.floor(perSecond * elapsedSeconds + burst);
  const share = answered / (perSecond * elapsedSeconds);
  const whole = figures.answeredBySecond.slice(1, Math.floor(elapsedSeconds));
  const quantile = (part: number): string =>
    latenciesMs[Math.floor((latenciesMs.length - 1) * part)]!.toFixed(1);
  console.log(`offered   ${offered} in ${elapsedSeconds.toFixed(3)} s on the clock of Redis`);
  console.log(`admitted  ${answered}, ${(100 * share).toFixed(2)} % of the rate; at most ${most} allowed`);
  console.log(`          ${Math.min(...whole)} to ${Math.max(...whole)} in each whole second`);
  console.log(`refused   ${refused}`);
  console.log(`decisions p50 ${quantile(0.5)}, p99 ${quantile(0.99)}, slowest ${quantile(1)} ms`);
  console.log(`leases    ${(calls / elapsedSeconds).toFixed(0)} commands to Redis a second`);
  console.log(`held up   ${idleSeconds.toFixed(2)} s in which this machine offered nothing`);
  console.log(
    `faults    ${faults.length}${faults
      .slice(0, 5)
      .map((fault) => `\n          ${fault}`)
      .join('')}`,
  );
  return faults.length === 0 && answered + refused === offered && answered <= most && share >= 0.95;
}

async function leasesOf(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats');
  const counts = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
  return counts.reduce((sum, [, calls]) => sum + Number(calls), 0);
}
