import { describe, expect, it } from 'vitest';
import { aPool, anUpstream } from '../admin/pool-report.fixture.ts';
import type { PoolReport } from '../admin/pools-control.ts';
import { aProcess } from '../live/live-sampler.fixture.ts';
import { GatewayHealth } from './gateway-health.ts';

/** A gateway that is as a test says, at a time that a test says. */
class World {
  nowMs = 1_000;
  pools: readonly PoolReport[] = [aPool()];
  connections = 40;
  draining = false;
  redisUp: boolean | undefined = undefined;
  readonly health: GatewayHealth;

  constructor(redisUp?: boolean) {
    this.redisUp = redisUp;
    this.health = new GatewayHealth(
      {
        version: '1.2.3',
        pools: () => this.pools,
        connections: () => this.connections,
        maxConnections: 100,
        draining: () => this.draining,
        redisUp: () => this.redisUp,
        now: () => this.nowMs,
        wallClockMs: () => Date.parse('2030-01-01T00:00:00Z') + this.nowMs,
      },
      aProcess,
    );
  }

  /** A second passes, in which the process used so much. */
  pass(changes: Partial<typeof aProcess> = {}): void {
    this.nowMs += 1_000;
    this.health.see({ process: { ...aProcess, ...changes } });
  }

  get status(): [string, ...string[]] {
    const { status, problems } = this.health.report();
    return [status, ...problems];
  }
}

describe('the health of a gateway', () => {
  it('is ok where all is well, and says since when', () => {
    const world = new World();
    world.nowMs = 61_000;
    const report = world.health.report();
    const sinceStart = { since: '2030-01-01T00:00:01.000Z', ageSeconds: 60 };
    expect(report).toMatchObject({
      status: 'ok',
      problems: [],
      version: '1.2.3',
      uptimeSeconds: 60,
      listener: { state: 'accepting', ...sinceStart, connections: 40, maxConnections: 100 },
      eventLoop: { state: 'ok', ...sinceStart, lagMs: 1.5, utilization: 0.25 },
      memory: { state: 'ok', ...sinceStart, rssBytes: 100e6, limitBytes: 4e9 },
      pools: [
        {
          name: 'main',
          state: 'ok',
          upstreams: [{ upstream: 'ws://10.0.0.1:9001/', state: 'up', ...sinceStart, lastFailure: null }],
        },
      ],
    });
    expect(report).not.toHaveProperty('redis');
  });

  it.each(['down', 'breaker-open', 'half-open', 'ejected'] as const)(
    'is degraded by an upstream that is %s',
    (state) => {
      const world = new World();
      const lastFailure = { kind: 'dial', detail: 'connect ECONNREFUSED 10.0.0.2:9001', agoMs: 500 } as const;
      const bad = anUpstream({ upstream: 'ws://10.0.0.2:9001/', state, stateAgeMs: 2_500, lastFailure });
      world.pools = [aPool({ upstreams: [anUpstream(), bad] })];
      world.nowMs = 10_000;
      expect(world.status).toEqual(['degraded', `pool main: ws://10.0.0.2:9001/ is ${state}`]);
      const [pool] = world.health.report().pools;
      expect(pool!.state).toBe('degraded');
      expect(pool!.upstreams[1]).toMatchObject({
        state,
        since: '2030-01-01T00:00:07.500Z',
        ageSeconds: 2.5,
        lastFailure: {
          kind: 'dial',
          detail: 'connect ECONNREFUSED 10.0.0.2:9001',
          at: '2030-01-01T00:00:09.500Z',
          ageSeconds: 0.5,
        },
      });
    },
  );

  it.each(['untried', 'paused', 'removed'] as const)('is not degraded by an upstream that is %s', (state) => {
    const world = new World();
    world.pools = [aPool({ upstreams: [anUpstream({ state })] })];
    expect(world.status).toEqual(['ok']);
  });

  it('is down only when no pool has an upstream', () => {
    const world = new World();
    const upstreams = [anUpstream({ state: 'down' })];
    const down = (name: string): PoolReport => aPool({ name, healthy: false, upstreams });
    world.pools = [aPool(), down('b')];
    expect(world.status).toEqual([
      'degraded',
      'pool b has no upstream',
      'pool b: ws://10.0.0.1:9001/ is down',
    ]);
    world.pools = [down('a'), down('b')];
    expect(world.status[0]).toBe('down');
  });

  it('is degraded, not down, by a pause of every pool', () => {
    const world = new World();
    world.pools = [aPool({ paused: true, upstreams: [anUpstream({ state: 'paused' })] })];
    expect(world.status).toEqual(['degraded', 'pool main is paused']);
  });

  it('is down while it drains', () => {
    const world = new World();
    world.pass();
    world.draining = true;
    world.pass();
    world.nowMs += 3_000;
    expect(world.status).toEqual(['down', 'the gateway drains, and lets nobody in']);
    expect(world.health.report().listener).toMatchObject({ state: 'draining', ageSeconds: 3 });
  });

  it('is degraded while it is full', () => {
    const world = new World();
    world.connections = 100;
    expect(world.status).toEqual(['degraded', 'the gateway is full, and lets nobody in']);
  });

  it('is degraded while Redis is away', () => {
    const world = new World(true);
    world.pass();
    expect(world.health.report().redis).toMatchObject({ state: 'up', ageSeconds: 1 });
    world.redisUp = false;
    world.pass();
    world.pass();
    expect(world.status).toEqual(['degraded', 'Redis does not answer']);
    expect(world.health.report().redis).toMatchObject({ state: 'down', ageSeconds: 1 });
  });

  it('is degraded by a late event loop and by memory that runs out, while that lasts', () => {
    const world = new World();
    world.pass({ eventLoopLagMs: 201, rssBytes: 3.3e9 });
    world.pass({ eventLoopLagMs: 300, heapUsedBytes: 1.7e9 });
    expect(world.status).toEqual(['degraded', 'the event loop is late', 'little memory is left']);
    expect(world.health.report()).toMatchObject({
      eventLoop: { state: 'late', lagMs: 300, ageSeconds: 1 },
      memory: { state: 'high', ageSeconds: 1 },
    });
    world.pass();
    expect(world.status).toEqual(['ok']);
  });
});
