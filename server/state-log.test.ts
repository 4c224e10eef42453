import { describe, expect, it } from 'vitest';
import { StateLog, type WatchedLimit } from './state-log.ts';

class World {
  nowMs = 0;
  readonly lines: unknown[][] = [];
  readonly pool = { name: 'main', healthy: true, well: true, turnedAway: 0 };
  readonly atCap = { 'total-cap': 0, 'per-ip-cap': 0 };
  limits: WatchedLimit[] = [];
  readonly #log = new StateLog({
    pools: [this.pool],
    limits: () => this.limits,
    refusedAtCap: (cap) => this.atCap[cap],
    maxConnections: 100,
    maxConnectionsPerIp: 5,
    log: {
      info: (data, message) => void this.lines.push([message, data]),
      warn: (data, message) => void this.lines.push([message, data]),
    },
    now: () => this.nowMs,
  });

  /** Lets so much time pass, with something done before each look. */
  pass(ms: number, work: () => void = () => undefined): void {
    for (const untilMs = this.nowMs + ms; this.nowMs < untilMs;) {
      work();
      this.nowMs += 250;
      this.#log.tick();
    }
  }
}

const limit = (refused: number, wouldHaveRefused = 0): WatchedLimit => ({
  name: 'ip, messages, token-bucket',
  onExceed: 'drop',
  refused,
  wouldHaveRefused,
});

describe('the log of states', () => {
  it('is silent as long as all is well', () => {
    const world = new World();
    world.limits = [limit(0)];
    world.pass(60_000);
    expect(world.lines).toEqual([]);
  });

  it('has two lines for an outage of a pool, however often its breakers let a probe go', () => {
    const world = new World();
    const { pool } = world;
    pool.healthy = pool.well = false;
    world.pass(60_000, () => (pool.healthy = !pool.healthy));
    pool.healthy = pool.well = true;
    world.pass(5_000);
    expect(world.lines).toEqual([
      ['pool has no upstream', { pool: 'main' }],
      ['pool has an upstream again', { pool: 'main', forMs: 60_500 }],
    ]);
  });

  it('has two lines for a million refusals, of each kind', () => {
    const world = new World();
    const flood = (): void => {
      world.limits = [limit((world.limits[0]?.refused ?? 0) + 250_000)];
      world.pool.turnedAway += 100_000;
      world.atCap['total-cap'] += 10_000;
      world.atCap['per-ip-cap'] += 1_000;
    };
    world.pass(1_000, flood);
    world.pass(20_000);
    const forMs = 10_750;
    expect(world.lines).toEqual([
      ['connection cap reached: clients are refused', { maxConnections: 100 }],
      ['connection cap of an address reached: clients are refused', { maxConnectionsPerIp: 5 }],
      ['pool is full: requests or clients are turned away', { pool: 'main' }],
      ['rate limit refuses', { limit: limit(0).name, onExceed: 'drop' }],
      ['no more clients are refused at the connection cap', { refused: 40_000, forMs }],
      ['no more clients are refused at the connection cap of an address', { refused: 4_000, forMs }],
      ['pool has room again', { pool: 'main', refused: 400_000, forMs }],
      ['rate limit refuses no more', { limit: limit(0).name, refused: 1_000_000, forMs }],
    ]);
  });

  it('tells of a limit on trial in other words, and of its end when it is removed', () => {
    const world = new World();
    world.limits = [limit(0, 7)];
    world.pass(1_000);
    world.limits = [];
    world.pass(1_000);
    world.limits = [limit(3)];
    world.pass(250);
    const { name } = limit(0);
    expect(world.lines).toEqual([
      ['rate limit on trial would refuse', { limit: name }],
      ['rate limit on trial would refuse no more', { limit: name, refused: 7, forMs: 1_000 }],
      ['rate limit refuses', { limit: name, onExceed: 'drop' }],
    ]);
  });
});
