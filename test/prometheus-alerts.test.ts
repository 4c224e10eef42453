import { beforeAll, describe, expect, it } from 'vitest';
import { alertRules, alertsFile, hastened } from './support/alert-rules.ts';
import type { Child } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import {
  keepBusy,
  startFailingGateway,
  startMortalGateway,
  startSlowGateway,
  startStarvedGateway,
  type MortalGateway,
} from './support/faulty-gateways.ts';
import { dashboardQueries } from './support/grafana-dashboard.ts';
import { startWellGateway } from './support/observed-gateway.ts';
import { startPrometheus, type Prometheus, type Series, type Targets } from './support/prometheus.ts';
import { startRedis } from './support/redis.ts';

/** What each alert has to fire for once its fault is made. */
const expected: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  WsluiceHighLatency: { instance: 'slow' },
  WsluiceHighAverageLatency: { instance: 'slow' },
  WsluiceSlowRequests: { instance: 'slow', pool: 'slow' },
  WsluiceErrors: { instance: 'failing' },
  WsluiceErrorRatio: { instance: 'failing' },
  WsluiceDisconnects: { instance: 'failing' },
  WsluiceConnectionsNearCap: { instance: 'slow' },
  WsluiceConnectionsRefused: { instance: 'slow', reason: 'total-cap' },
  WsluiceLimiterRefusing: { instance: 'failing', scope: 'method' },
  WsluiceRedisDown: { instance: 'failing' },
  WsluicePoolNearlyFull: { instance: 'slow', pool: 'tiny' },
  WsluicePoolWaiting: { instance: 'slow', pool: 'tiny' },
  WsluiceNoUpstream: { instance: 'failing', pool: 'dead' },
  WsluiceClientsTurnedAway: { instance: 'failing', reason: 'no-upstream' },
  WsluiceBreakerOpen: { instance: 'failing', pool: 'dead' },
  WsluiceUpstreamEjected: { instance: 'failing', pool: 'outliers' },
  WsluiceUpstreamsLost: { instance: 'failing', pool: 'breaking' },
  WsluicePoolPaused: { instance: 'starved', pool: 'paused' },
  WsluiceMemory: { instance: 'starved' },
  WsluiceFileDescriptors: { instance: 'starved' },
  WsluiceHighCpu: { instance: 'starved', worker: '0' },
  WsluiceEventLoopLag: { instance: 'slow' },
  WsluiceRestarting: { instance: 'mortal' },
};
/** These are made last, for they take a gateway, and then all of them, out of sight. */
const madeLast = ['WsluiceDown', 'WsluiceAbsent'];
/** A machine that is busy with other things may be as slow as that; alerts.test.yml has what keeps these quiet. */
const ofTheMachine = ['WsluiceDown', 'WsluiceHighLatency', 'WsluiceHighCpu', 'WsluiceEventLoopLag'];

/** Five gateways and a Prometheus have to share what cores there are. */
const patient = { timeout: 180_000 };
const withinMs = 60_000;

/** One of the gateways asks for it; the others take no notice. */
const token = 'a-token-for-prometheus';

let targets: Targets;
let prometheus: Prometheus;
let mortal: MortalGateway;
let busyClient: Child;
let restarted: Promise<void>;

beforeAll(async () => {
  const redis = await Promise.all([startRedis(), startRedis()]);
  // One after the other, for a start takes a core to itself.
  const well = await startWellGateway({ redisUrl: redis[0].url, token });
  const slow = await startSlowGateway();
  const failing = await startFailingGateway(redis[1]);
  const starved = await startStarvedGateway();
  mortal = await startMortalGateway();
  targets = {
    ...{ well: well.adminPort, slow: slow.adminPort, failing: failing.adminPort },
    ...{ starved: starved.adminPort, mortal: mortal.adminPort },
  };
  prometheus = await startPrometheus(targets, token);
  busyClient = keepBusy(starved);
  restarted = restartThrice();
  // Whoever waits for it hears of its fault.
  restarted.catch(() => undefined);
}, 180_000);

/** A process that ends before it was scraped leaves no trace. */
async function restartThrice(): Promise<void> {
  for (let restarts = 0; restarts < 3; restarts++) {
    await eventually(async () => {
      const starts = 'changes(process_start_time_seconds{instance="mortal"}[15m])';
      expect(valueOf(await prometheus.query(starts))).toBe(restarts);
    }, withinMs);
    await mortal.restart();
  }
}

it('knows the fault of every alert', () => {
  const names = alertRules().map(({ alert }) => alert);
  expect([...Object.keys(expected), ...madeLast].sort()).toEqual(names.sort());
});

it.each(Object.entries(expected))('%s fires', patient, async (name, labels) => {
  if (labels['instance'] === 'mortal') await restarted;
  await eventually(async () => {
    const firing = await prometheus.firing();
    expect(firing).toContainEqual(
      expect.objectContaining({ name, labels: expect.objectContaining(labels) as object }),
    );
  }, withinMs);
  // It has a core to itself.
  if (name === 'WsluiceHighCpu') await busyClient.stop('SIGKILL');
});

describe('while they fire', () => {
  it('nothing is said against the gateway and the pools that are well', async () => {
    const firing = await prometheus.firing();
    expect(
      firing.filter(({ name, labels }) => labels['instance'] === 'well' && !ofTheMachine.includes(name)),
    ).toEqual([]);
    const faulty = new Set(['breaking', 'dead', 'outliers', 'paused', 'slow', 'tiny', undefined]);
    expect(firing.filter(({ labels: { pool } }) => !faulty.has(pool))).toEqual([]);
    for (const { summary } of firing) expect(summary).toMatch(/^[^{<]+$/);
  });

  it.each(dashboardQueries().map(({ where, expr }) => [where, expr] as const))(
    'the dashboard has data: %s: %s',
    async (_, expr) => {
      await eventually(async () => expect(numbersOf(await prometheus.query(expr))).not.toEqual([]));
    },
  );

  it.each(alertRules(hastened(alertsFile())).filter(({ expr }) => !expr.startsWith('absent')))(
    '$alert has data of the gateway that is well',
    async ({ expr }) => {
      await eventually(async () => {
        const series = await prometheus.query(withoutThresholds(expr));
        expect(numbersOf(series.filter(({ metric }) => metric['instance'] === 'well'))).not.toEqual([]);
      });
    },
  );
});

it('WsluiceDown fires when a gateway is killed', patient, async () => {
  await mortal.kill();
  await eventually(async () => {
    const down = {
      name: 'WsluiceDown',
      labels: { instance: 'mortal', job: 'wsluice', severity: 'critical' },
    };
    expect(await prometheus.firing()).toContainEqual(expect.objectContaining(down));
  }, withinMs);
});

it('WsluiceAbsent alone fires when there is no gateway left to scrape', patient, async () => {
  prometheus.retarget({});
  await eventually(async () => {
    const names = (await prometheus.firing()).map(({ name }) => name);
    // Which looks back a quarter of an hour.
    expect(names.filter((name) => name !== 'WsluiceRestarting')).toEqual(['WsluiceAbsent']);
  }, withinMs);
});

/** What an alert compares with its threshold. */
function withoutThresholds(expr: string): string {
  return expr.replaceAll(/\s+(>|==) [\d.]+( \* clamp_min\([^)]*\))?/g, '');
}

function numbersOf(series: readonly Series[]): number[] {
  return series.map(({ value }) => value).filter(Number.isFinite);
}

function valueOf([series]: readonly Series[]): number | undefined {
  return series?.value;
}
