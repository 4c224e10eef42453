import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { HeartbeatWheel, type HeartbeatPeer } from './heartbeat.ts';

/** A peer behind a fake clock; it answers `answersAfterMs` after each ping, until it falls silent. */
class TestPeer implements HeartbeatPeer {
  heartbeatSlot = -1;
  heartbeatIndex = -1;
  pingSentAtMs = 0;
  answersAfterMs: number;
  readonly pingedAtMs: number[] = [];
  readonly lostAtMs: number[] = [];
  /** Runs inside each callback of the wheel. */
  onCallback: () => void = () => undefined;
  pongDueMs = Infinity;
  readonly #world: World;

  constructor(world: World, answersAfterMs: number) {
    this.#world = world;
    this.answersAfterMs = answersAfterMs;
  }

  sendPing(): void {
    this.pingedAtMs.push(this.#world.nowMs);
    this.pongDueMs = this.#world.nowMs + this.answersAfterMs;
    this.onCallback();
  }

  onHeartbeatLost(): void {
    this.lostAtMs.push(this.#world.nowMs);
    this.onCallback();
  }
}

/** A wheel, its peers and a clock that stands still between ticks. */
class World {
  nowMs = 1000;
  readonly peers: TestPeer[] = [];
  readonly rttsMs: number[] = [];
  readonly wheel: HeartbeatWheel;

  constructor(intervalMs: number, timeoutMs: number) {
    const now = () => this.nowMs;
    this.wheel = new HeartbeatWheel({ intervalMs, timeoutMs, now, onRtt: (ms) => this.rttsMs.push(ms) });
  }

  add(answersAfterMs: number): TestPeer {
    const peer = new TestPeer(this, answersAfterMs);
    this.peers.push(peer);
    this.wheel.add(peer);
    return peer;
  }

  /** One turn of the event loop: the timer comes first, and only then what has arrived meanwhile is read. */
  turn(elapsedMs: number): void {
    this.nowMs += elapsedMs;
    this.wheel.tick();
    for (const peer of this.peers) {
      if (peer.pongDueMs > this.nowMs) continue;
      peer.pongDueMs = Infinity;
      this.wheel.pong(peer);
    }
  }

  run(durationMs: number): void {
    for (const endMs = this.nowMs + durationMs; this.nowMs < endMs;) this.turn(this.wheel.tickMs);
  }
}

describe('HeartbeatWheel', () => {
  it('pings each peer once per interval and reports the round trip', () => {
    const world = new World(30_000, 10_000);
    const peer = world.add(0);
    world.run(90_000);
    expect(peer.pingedAtMs).toEqual([31_000, 61_000, 91_000]);
    expect(world.rttsMs).toEqual([0, 0, 0]);
  });

  it('measures from the ping to the pong', () => {
    const world = new World(1000, 5000);
    const peer = world.add(Infinity);
    world.run(1000);
    world.nowMs += 42;
    world.wheel.pong(peer);
    world.wheel.pong(peer);
    expect(world.rttsMs).toEqual([42]);
  });

  it.each([
    [30_000, 10_000],
    [10_000, 30_000],
  ])('loses a silent peer once, and for good (interval %i ms, timeout %i ms)', (intervalMs, timeoutMs) => {
    const world = new World(intervalMs, timeoutMs);
    const peer = world.add(Infinity);
    world.run(200_000);
    expect(peer.pingedAtMs).toEqual([1000 + intervalMs]);
    expect(peer.lostAtMs).toEqual([1000 + intervalMs + timeoutMs]);
    expect(peer.heartbeatSlot).toBe(-1);
    expect(world.wheel.size).toBe(0);
  });

  it('takes any sign of life for an answer', () => {
    const world = new World(1000, 500);
    const peer = world.add(Infinity);
    world.run(1000);
    peer.pingSentAtMs = 0;
    world.run(900);
    expect(peer.lostAtMs).toEqual([]);
    world.wheel.pong(peer);
    expect(world.rttsMs).toEqual([]);
  });

  it('spreads 10,000 peers that come at once over the interval', () => {
    const world = new World(30_000, 10_000);
    const pingsPerTick: number[] = [];
    let pings = 0;
    for (let n = 0; n < 10_000; n++) world.add(0).onCallback = () => pings++;
    for (let tick = 0; tick < 60; tick++) {
      pings = 0;
      world.turn(world.wheel.tickMs);
      pingsPerTick.push(pings);
    }
    const evenShare = (10_000 * world.wheel.tickMs) / 30_000;
    expect(Math.max(...pingsPerTick)).toBeLessThan(evenShare + 6);
    expect(Math.min(...pingsPerTick)).toBeGreaterThan(evenShare - 6);
  });

  it('gives answers that wait in the sockets one tick after the event loop was blocked', () => {
    const world = new World(1000, 500);
    const alive = world.add(100);
    const dead = world.add(Infinity);
    world.run(1000);
    expect([alive.pingedAtMs, dead.pingedAtMs]).toEqual([[2000], [2000]]);
    world.turn(5000);
    expect([alive.lostAtMs, dead.lostAtMs]).toEqual([[], []]);
    world.turn(world.wheel.tickMs);
    expect([alive.lostAtMs, dead.lostAtMs]).toEqual([[], [world.nowMs]]);
  });

  it('loses dead peers although every tick is late', () => {
    const world = new World(1000, 500);
    const dead = world.add(Infinity);
    for (let n = 0; n < 30; n++) world.turn(world.wheel.tickMs * 3);
    expect(dead.lostAtMs).toHaveLength(1);
  });

  it('makes no burst of pings after the event loop was blocked', () => {
    const world = new World(1000, 500);
    let pings = 0;
    for (let n = 0; n < 200; n++) world.add(0).onCallback = () => pings++;
    world.turn(60_000);
    expect(pings).toBeGreaterThan(0);
    expect(pings).toBeLessThanOrEqual(50);
  });

  it('throws when a peer joins twice, and ignores one that leaves twice', () => {
    const world = new World(1000, 500);
    const peer = world.add(0);
    expect(() => world.wheel.add(peer)).toThrow('bug:');
    world.wheel.remove(peer);
    world.wheel.remove(peer);
    expect(world.wheel.size).toBe(0);
  });

  it('is off when the interval is 0', () => {
    const world = new World(0, 10_000);
    const peer = world.add(Infinity);
    world.wheel.start();
    world.run(60_000);
    world.wheel.remove(peer);
    expect([peer.pingedAtMs, peer.lostAtMs, world.wheel.size]).toEqual([[], [], 0]);
    world.wheel.stop();
  });
});

describe('the timer of HeartbeatWheel', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it('ticks from start to stop', () => {
    const world = new World(1000, 500);
    const tick = vi.spyOn(world.wheel, 'tick');
    world.wheel.start();
    vi.advanceTimersByTime(10 * world.wheel.tickMs);
    world.wheel.stop();
    vi.advanceTimersByTime(10 * world.wheel.tickMs);
    expect(tick).toHaveBeenCalledTimes(10);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('HeartbeatWheel in any run', () => {
  // At most 30 ticks to the interval, so that a run of some hundred ticks sees several.
  const settings = fc
    .record({
      timeoutMs: fc.integer({ min: 100, max: 5000 }),
      ratio: fc.double({ min: 0.2, max: 3, noNaN: true }),
    })
    .map(({ timeoutMs, ratio }) => ({ timeoutMs, intervalMs: Math.ceil(timeoutMs * ratio) }));
  const share = fc.double({ min: 0, max: 1, noNaN: true });

  it('keeps those that answer and loses those that do not within interval + timeout + two ticks', () => {
    const steps = fc.array(fc.record({ silenced: fc.nat(30), added: fc.nat(3), delay: share }), {
      maxLength: 150,
    });
    fc.assert(
      fc.property(settings, steps, ({ intervalMs, timeoutMs }, run) => {
        const world = new World(intervalMs, timeoutMs);
        const { tickMs } = world.wheel;
        const lastWords = new Map<TestPeer, number>();
        for (const { silenced, added, delay } of run) {
          for (let n = 0; n < added; n++) world.add(delay * (timeoutMs - 2 * tickMs));
          const peer = world.peers[silenced];
          if (peer && !lastWords.has(peer)) {
            peer.answersAfterMs = Infinity;
            peer.pongDueMs = Infinity;
            lastWords.set(peer, world.nowMs);
          }
          world.turn(tickMs);
        }
        world.run(intervalMs + timeoutMs + 2 * tickMs);
        const boundMs = intervalMs + timeoutMs + 2 * tickMs + 1e-6;
        for (const peer of world.peers) {
          const silentSinceMs = lastWords.get(peer);
          expect(peer.lostAtMs).toHaveLength(silentSinceMs === undefined ? 0 : 1);
          if (silentSinceMs !== undefined) expect(peer.lostAtMs[0]! - silentSinceMs).toBeLessThan(boundMs);
        }
        expect(world.wheel.size).toBe(world.peers.length - lastWords.size);
      }),
      { numRuns: 60 },
    );
  });

  it('pings one interval apart, give or take a tick', () => {
    fc.assert(
      fc.property(
        settings,
        fc.array(fc.nat(5), { maxLength: 60, size: 'max' }),
        ({ intervalMs, timeoutMs }, arrivals) => {
          const world = new World(intervalMs, timeoutMs);
          const toleranceMs = world.wheel.tickMs + 1e-6;
          const joinedAtMs = new Map<TestPeer, number>();
          for (const count of arrivals) {
            for (let n = 0; n < count; n++) joinedAtMs.set(world.add(0), world.nowMs);
            world.turn(world.wheel.tickMs);
          }
          world.run(3 * intervalMs);
          for (const [{ pingedAtMs }, joinedMs] of joinedAtMs) {
            expect(pingedAtMs[0]! - joinedMs).toBeLessThan(intervalMs + toleranceMs);
            for (const [n, atMs] of pingedAtMs.slice(1).entries()) {
              expect(Math.abs(atMs - pingedAtMs[n]! - intervalMs)).toBeLessThan(toleranceMs);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it('never loses a peer that answers, nor calls one that left, however late it ticks and whoever leaves when', () => {
    const action = fc.record({
      // Mostly on time, sometimes blocked for long.
      ticks: fc.oneof(
        { weight: 4, arbitrary: fc.double({ min: 0.5, max: 2, noNaN: true }) },
        fc.integer({ min: 3, max: 500 }),
      ),
      added: fc.nat(4),
      delay: share,
      removed: fc.nat(40),
      leaver: fc.nat(40),
      victim: fc.nat(40),
      answers: fc.boolean(),
    });
    fc.assert(
      fc.property(
        settings,
        fc.array(action, { maxLength: 120, size: 'max' }),
        ({ intervalMs, timeoutMs }, run) => {
          const world = new World(intervalMs, timeoutMs);
          const { wheel, peers } = world;
          const gone = new Set<TestPeer>();
          const leave = (peer: TestPeer | undefined) => {
            if (!peer || gone.has(peer)) return;
            gone.add(peer);
            peer.pongDueMs = Infinity;
            wheel.remove(peer);
            peer.onCallback = () => expect.unreachable('called after it left');
          };
          for (const { ticks, added, delay, removed, leaver, victim, answers } of run) {
            for (let n = 0; n < added; n++)
              world.add(answers ? delay * (timeoutMs - 2 * wheel.tickMs) : Infinity);
            leave(peers[removed]);
            const host = peers[leaver];
            if (host && !gone.has(host)) host.onCallback = () => leave(peers[victim]);
            world.turn(ticks * wheel.tickMs);
          }
          for (const peer of peers) {
            if (peer.answersAfterMs < Infinity) expect(peer.lostAtMs).toEqual([]);
            expect(peer.lostAtMs.length).toBeLessThanOrEqual(1);
          }
          const lost = peers.filter((peer) => peer.lostAtMs.length > 0 && !gone.has(peer));
          expect(wheel.size).toBe(peers.length - gone.size - lost.length);
        },
      ),
      { numRuns: 100 },
    );
  });
});
