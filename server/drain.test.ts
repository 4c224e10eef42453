import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Connection } from './connection.ts';
import { drainClients } from './drain.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client that leaves as soon as it is told to, unless it hangs. */
class TestClient {
  busy = false;
  hangs = false;
  refusesSinceMs = NaN;
  goesAtMs = NaN;
  goodbyes = 0;
  readonly #world: World;

  constructor(world: World) {
    this.#world = world;
  }

  leaveWhenIdle(): void {
    this.refusesSinceMs = this.#world.elapsedMs;
  }

  drain(): void {
    this.goodbyes++;
    this.goesAtMs = this.#world.elapsedMs;
    if (!this.hangs) this.leave();
  }

  leave(): void {
    this.#world.clients.delete(this);
  }
}

/** What a client does by itself during a drain. */
interface Plan {
  readonly busyForMs: number;
  readonly leavesAtMs: number | null;
}

class World {
  readonly clients = new Set<TestClient>();
  readonly all: TestClient[] = [];
  readonly lines: [string, object][] = [];
  readonly log = {
    info: (data: object, message: string) => void this.lines.push([message, data]),
    warn: (data: object, message: string) => void this.lines.push([message, data]),
  };
  readonly #startedAtMs = Date.now();
  readonly latecomers: TestClient[] = [];
  mayCome = false;
  doneAtMs = NaN;

  constructor(count: number) {
    for (let i = 0; i < count; i++) this.all.push(new TestClient(this));
    for (const client of this.all) this.clients.add(client);
  }

  get elapsedMs(): number {
    return Date.now() - this.#startedAtMs;
  }

  start({ spreadMs = 10_000, timeoutMs = 30_000 } = {}): void {
    const clients = this.clients as unknown as ReadonlySet<Connection>;
    const latecomers = this.latecomers as unknown as Connection[];
    const mayCome = (): boolean => this.mayCome;
    const now = (): number => Date.now();
    void drainClients({ clients, latecomers, mayCome, spreadMs, timeoutMs, now, log: this.log }).then(() => {
      this.doneAtMs = this.elapsedMs;
    });
  }

  /** Somebody who was on the way in when the drain began. */
  comesLate(): TestClient {
    const client = new TestClient(this);
    this.clients.add(client);
    this.latecomers.push(client);
    return client;
  }
}

describe('a drain', () => {
  it('is over at once when nobody is there', async () => {
    const world = new World(0);
    world.start();
    await vi.advanceTimersByTimeAsync(0);
    expect(world.doneAtMs).toBe(0);
  });

  it.each([
    { count: 2_000, spreadMs: 10_000 },
    { count: 3_001, spreadMs: 4_000 },
  ])('sends $count clients away evenly over $spreadMs ms, each once', async ({ count, spreadMs }) => {
    const world = new World(count);
    world.start({ spreadMs });
    await vi.advanceTimersByTimeAsync(spreadMs + 1_000);
    expect(world.all.map(({ goodbyes }) => goodbyes)).toEqual(world.all.map(() => 1));
    const seconds = spreadMs / 1_000;
    const perSecond = new Array<number>(seconds + 1).fill(0);
    for (const { goesAtMs } of world.all) perSecond[Math.floor(goesAtMs / 1_000)]!++;
    expect(Math.max(...perSecond)).toBeLessThan((2 * count) / seconds);
    expect(Math.min(...perSecond.slice(0, seconds))).toBeGreaterThan(count / seconds / 2);
    expect(world.doneAtMs).toBeLessThanOrEqual(spreadMs + 100);
  });

  it('does not make a handful of clients wait', async () => {
    const world = new World(5);
    world.start({ spreadMs: 10_000 });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(world.doneAtMs).toBeLessThan(1_000);
  });

  it('lets a busy client have its reply first, while new requests of it are refused', async () => {
    const world = new World(1);
    const [client] = world.all;
    client!.busy = true;
    world.start();
    await vi.advanceTimersByTimeAsync(5_000);
    expect([client!.goodbyes, client!.refusesSinceMs < 1_000]).toEqual([0, true]);
    client!.busy = false;
    await vi.advanceTimersByTimeAsync(100);
    expect(client!.goodbyes).toBe(1);
    expect(world.doneAtMs).toBeGreaterThan(0);
  });

  it('sends away who is busy to the end at the timeout', async () => {
    const world = new World(10);
    for (const client of world.all) client.busy = true;
    world.start({ timeoutMs: 3_000 });
    await vi.advanceTimersByTimeAsync(2_900);
    expect(world.all.map(({ goodbyes }) => goodbyes)).toEqual(world.all.map(() => 0));
    await vi.advanceTimersByTimeAsync(200);
    expect(world.all.map(({ goodbyes }) => goodbyes)).toEqual(world.all.map(() => 1));
    expect(world.doneAtMs).toBeLessThanOrEqual(3_100);
    expect(world.lines).toEqual([
      ['clients are sent away', { clients: 10, overMs: 100 }],
      ['the last clients still await an answer', { clients: 10 }],
      ['drain timed out: clients are closed before their answers', { clients: 10 }],
    ]);
  });

  it('ends although a client never goes', async () => {
    const world = new World(2);
    world.all[0]!.hangs = true;
    world.start({ timeoutMs: 3_000 });
    await vi.advanceTimersByTimeAsync(10_000);
    expect(world.doneAtMs).toBeGreaterThanOrEqual(3_000);
    expect(world.doneAtMs).toBeLessThanOrEqual(5_000);
    expect(world.clients.size).toBe(1);
  });

  it('sends everybody away within a timeout that is shorter than the spread', async () => {
    const world = new World(1_000);
    world.start({ spreadMs: 60_000, timeoutMs: 2_000 });
    await vi.advanceTimersByTimeAsync(3_000);
    expect(world.clients.size).toBe(0);
  });

  it('sends everybody away at the first moment when there is no time to spread over', async () => {
    const world = new World(100);
    world.start({ spreadMs: 0, timeoutMs: 0 });
    await vi.advanceTimersByTimeAsync(50);
    expect([world.clients.size, world.doneAtMs <= 50]).toEqual([0, true]);
  });

  it('waits for those who may still come, and sends them away like the others', async () => {
    const world = new World(0);
    world.mayCome = true;
    world.start();
    await vi.advanceTimersByTimeAsync(300);
    const late = world.comesLate();
    late.busy = true;
    await vi.advanceTimersByTimeAsync(300);
    expect([late.goodbyes, late.refusesSinceMs < 600, world.doneAtMs]).toEqual([0, true, NaN]);
    late.busy = false;
    await vi.advanceTimersByTimeAsync(100);
    expect([late.goodbyes, world.doneAtMs]).toEqual([1, NaN]);
    world.mayCome = false;
    await vi.advanceTimersByTimeAsync(100);
    expect(world.doneAtMs).toBeLessThanOrEqual(800);
  });

  it('spreads those who come late as well, and ends in time for all of them', async () => {
    const world = new World(1_000);
    world.start({ spreadMs: 4_000 });
    await vi.advanceTimersByTimeAsync(500);
    const late = Array.from({ length: 1_000 }, () => world.comesLate());
    await vi.advanceTimersByTimeAsync(4_000);
    expect(late.map(({ goodbyes }) => goodbyes)).toEqual(late.map(() => 1));
    const inASecond = late.filter(({ goesAtMs }) => goesAtMs > 2_000 && goesAtMs <= 3_000).length;
    expect(inASecond).toBeLessThan(800);
    expect(world.doneAtMs).toBeLessThan(4_400);
  });

  it('does not make up for a standstill by telling many to leave at once', async () => {
    const world = new World(2_000);
    world.start({ spreadMs: 4_000 });
    await vi.advanceTimersByTimeAsync(500);
    vi.setSystemTime(Date.now() + 2_000);
    const told = (): number => world.all.filter(({ refusesSinceMs }) => refusesSinceMs >= 0).length;
    const before = told();
    await vi.advanceTimersByTimeAsync(500);
    expect(told() - before).toBeGreaterThan(200);
    expect(told() - before).toBeLessThan(450);
    await vi.advanceTimersByTimeAsync(4_000);
    expect(world.clients.size).toBe(0);
  });

  it('ends with everybody gone, each told at most once and never while busy, whoever leaves by itself', async () => {
    const plan = fc.record({ busyForMs: fc.nat(4_000), leavesAtMs: fc.option(fc.nat(4_000)) });
    const run = async (plans: readonly Plan[]): Promise<void> => {
      const world = new World(plans.length);
      plans.forEach(({ busyForMs, leavesAtMs }, index) => {
        const client = world.all[index]!;
        client.busy = busyForMs > 0;
        setTimeout(() => (client.busy = false), busyForMs);
        if (leavesAtMs !== null) setTimeout(() => client.leave(), leavesAtMs);
      });
      world.start({ spreadMs: 2_000, timeoutMs: 5_000 });
      await vi.advanceTimersByTimeAsync(5_000);
      expect(world.clients.size).toBe(0);
      expect(world.doneAtMs).toBeLessThanOrEqual(5_000);
      plans.forEach(({ busyForMs, leavesAtMs }, index) => {
        const { goodbyes, goesAtMs } = world.all[index]!;
        if (leavesAtMs === null) expect(goodbyes).toBe(1);
        const leftFirst = leavesAtMs !== null && leavesAtMs <= goesAtMs;
        if (goodbyes > 0 && !leftFirst) expect(goesAtMs).toBeGreaterThanOrEqual(busyForMs);
        expect(goodbyes).toBeLessThanOrEqual(1);
      });
    };
    await fc.assert(fc.asyncProperty(fc.array(plan, { maxLength: 40 }), run), { numRuns: 30 });
  });
});
