import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { indexByName, GatewayMetrics } from '../metrics/gateway-metrics.ts';
import { Charge } from '../pool/client-side.ts';
import type { LimitConfig } from '../ratelimit/limit-config.ts';
import { undecided, type Limiter } from '../ratelimit/limiter.ts';
import type { Limits } from '../ratelimit/limits.ts';
import { localLimits } from '../ratelimit/limits.fixture.ts';
import { settingsOf } from '../ratelimit/limit.ts';
import { createLimiter } from '../ratelimit/strategies.ts';
import { errorTypes } from './close-codes.ts';
import { Spending } from './spending.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A client that forwards each message as one request, and is charged for it. */
class World {
  readonly sent: string[] = [];
  readonly refused: number[] = [];
  readonly failures: string[] = [];
  readonly metrics = new GatewayMetrics({ errorTypes, rejectReasons: [] });
  readonly limits: Limits;
  readonly spending: Spending;
  /** What is not known about a limit while this is true. */
  isOpen = false;
  asked = 0;
  clockMs = 0;
  #batch = 0;
  decide: () => void = () => undefined;

  constructor(configs: readonly Partial<LimitConfig>[], maxBackpressureBytes = 10_000) {
    const now = (): number => performance.now();
    this.limits = localLimits(configs, {
      now,
      createLimiter: ({ config, slots, onDecided }) => {
        this.decide = () => onDecided(0);
        return this.#openAtTimes(createLimiter(config.strategy, settingsOf(config), slots));
      },
    });
    const context = {
      limits: this.limits,
      metrics: this.metrics,
      errorIndex: indexByName(errorTypes),
      maxBackpressureBytes,
      now,
      clockMs: () => this.clockMs,
    };
    this.spending = new Spending(
      context,
      { ip: '::1', identity: 'me', route: '/ws' },
      {
        forward: (bytes) => this.#forward(bytes),
        fail: (cause) => this.failures.push(cause),
      },
    );
  }

  say(...texts: string[]): void {
    for (const text of texts) this.spending.pass(Buffer.from(text), false);
  }

  /** Has a batch of requests of one byte each charged, as a lease would. */
  sayBatch(requests: number): void {
    this.#batch = requests;
    this.say('x'.repeat(requests));
    this.#batch = 0;
  }

  get errors(): number {
    return this.metrics.errorCounts().find(({ label }) => label === 'rate-limited')!.count;
  }

  #forward(bytes: Uint8Array): void {
    if (this.#batch > 0 || bytes[0] === 'x'.charCodeAt(0)) return this.#forwardBatch(bytes);
    const charge = this.spending.charge(bytes.length, bytes, -1, -1);
    if (charge === Charge.paid) this.sent.push(Buffer.from(bytes).toString());
    if (charge > 0) this.refused.push(charge);
  }

  #forwardBatch(bytes: Uint8Array): void {
    const requests = Array.from(bytes, (_, n) => ({ start: n, end: n + 1, methodStart: -1, methodEnd: -1 }));
    const charges = this.spending.chargeBatch(bytes, requests);
    if (charges === undefined) return;
    this.sent.push(`batch of ${charges.filter((charge) => charge === Charge.paid).length}`);
    this.refused.push(...charges.filter((charge) => charge > 0));
  }

  #openAtTimes(limiter: Limiter): Limiter {
    const { take, peek } = { take: limiter.take.bind(limiter), peek: limiter.peek.bind(limiter) };
    limiter.take = (...args) => {
      if (this.isOpen) this.asked++;
      return this.isOpen ? undecided : take(...args);
    };
    limiter.peek = (...args) => (this.isOpen ? undecided : peek(...args));
    return limiter;
  }
}

describe('spending', () => {
  it('sends what the limits allow and refuses the rest with the time to wait', () => {
    const world = new World([{ requestsPerSecond: 10, burst: 2 }]);
    world.say('a', 'b', 'c');
    expect(world.sent).toEqual(['a', 'b']);
    expect(world.refused).toEqual([100]);
    vi.advanceTimersByTime(100);
    world.say('d');
    expect(world.sent).toEqual(['a', 'b', 'd']);
  });

  it('has nothing to ask without limits', () => {
    expect(new World([]).spending.isLimited).toBe(false);
    expect(new World([{ scope: 'route', match: '/elsewhere' }]).spending.isLimited).toBe(false);
    expect(new World([{}]).spending.isLimited).toBe(true);
  });

  it('spaces what passes a leaky bucket that delays, in order, and refuses what it cannot hold', () => {
    const world = new World([
      { strategy: 'leaky-bucket', requestsPerSecond: 10, burst: 3, onExceed: 'delay' },
    ]);
    world.say('a', 'b', 'c', 'd');
    expect([world.sent, world.refused.length, world.spending.isHolding]).toEqual([['a'], 1, true]);
    vi.advanceTimersByTime(99);
    expect(world.sent).toEqual(['a']);
    vi.advanceTimersByTime(2);
    expect(world.sent).toEqual(['a', 'b']);
    vi.advanceTimersByTime(100);
    expect([world.sent, world.spending.isHolding]).toEqual([['a', 'b', 'c'], false]);
  });

  it('refuses what would wait longer than maxDelayMs', () => {
    const world = new World([
      { strategy: 'leaky-bucket', requestsPerSecond: 10, burst: 100, onExceed: 'delay', maxDelayMs: 250 },
    ]);
    world.say('a', 'b', 'c', 'd', 'e');
    vi.advanceTimersByTime(1_000);
    expect([world.sent, world.refused.length]).toEqual([['a', 'b', 'c'], 2]);
  });

  it('holds what is not decided yet, and all that comes after it, until it is', () => {
    const world = new World([{ burst: 2 }]);
    world.isOpen = true;
    world.say('a', 'b');
    expect(world.sent).toEqual([]);
    world.decide();
    expect(world.sent).toEqual([]);
    world.isOpen = false;
    world.say('c');
    expect(world.sent).toEqual([]);
    world.decide();
    expect([world.sent, world.refused.length, world.spending.isHolding]).toEqual([['a', 'b'], 1, false]);
  });

  it('refuses instead of holding when too much waits, and gives back what it took', () => {
    const world = new World(
      [{ strategy: 'token-bucket', requestsPerSecond: 1, burst: 1, onExceed: 'delay', maxDelayMs: 60_000 }],
      1_000,
    );
    for (let n = 0; n < 8; n++) world.say(`${n}`);
    const held = 8 - 1 - world.refused.length;
    expect(held).toBeGreaterThan(0);
    expect(world.refused.length).toBeGreaterThan(0);
    vi.advanceTimersByTime(held * 1_000 + 1);
    expect(world.sent).toHaveLength(1 + held);
    vi.advanceTimersByTime(1_000);
    world.say('z');
    expect(world.sent.at(-1)).toBe('z');
  });

  it('lets a batch go when the last of its requests may, and refuses those that the bucket does not hold', () => {
    const world = new World([
      { strategy: 'leaky-bucket', requestsPerSecond: 10, burst: 5, onExceed: 'delay' },
    ]);
    world.sayBatch(7);
    expect([world.sent, world.refused]).toEqual([[], []]);
    vi.advanceTimersByTime(399);
    expect(world.sent).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(world.sent).toEqual(['batch of 5']);
    expect(world.refused).toHaveLength(2);
  });

  it('lets nothing overtake a batch that waits, and no batch what waits', () => {
    const world = new World([
      { strategy: 'leaky-bucket', requestsPerSecond: 10, burst: 9, onExceed: 'delay' },
    ]);
    world.say('a', 'b');
    world.sayBatch(2);
    world.say('c');
    vi.advanceTimersByTime(1_000);
    expect(world.sent).toEqual(['a', 'b', 'batch of 2', 'c']);
  });

  it('asks for a whole batch before it waits for what is not decided, and charges it once', () => {
    const world = new World([{ burst: 3 }]);
    world.isOpen = true;
    world.sayBatch(5);
    expect(world.asked).toBe(5);
    world.isOpen = false;
    world.decide();
    expect([world.sent, world.refused.length]).toEqual([['batch of 3'], 2]);
  });

  it('keeps the order of what waits when the limits are taken away', () => {
    const world = new World([
      { strategy: 'leaky-bucket', requestsPerSecond: 10, burst: 9, onExceed: 'delay' },
    ]);
    world.say('a', 'b', 'c');
    world.limits.apply([]);
    world.say('d');
    expect(world.sent).toEqual(['a']);
    vi.advanceTimersByTime(1_000);
    world.say('e');
    expect([world.sent, world.spending.isLimited]).toEqual([['a', 'b', 'c', 'd', 'e'], false]);
  });

  it('charges what a client that has left said before, and keeps nothing of it waiting', () => {
    const world = new World([
      { burst: 2 },
      { scope: 'global', strategy: 'leaky-bucket', burst: 1, onExceed: 'delay' },
    ]);
    world.spending.stop();
    world.say('a', 'b', 'c');
    expect([world.sent, world.refused.length, world.spending.isHolding]).toEqual([['a'], 2, false]);
  });

  it('drops, or ends the client, where it is told to', () => {
    const dropping = new World([{ onExceed: 'drop' }]);
    dropping.say('a', 'b');
    expect([dropping.sent, dropping.refused, dropping.errors]).toEqual([['a'], [], 1]);
    const closing = new World([{ onExceed: 'close' }]);
    closing.say('a', 'b');
    expect([closing.sent, closing.failures]).toEqual([['a'], ['rate-limited']]);
  });

  it('ends a client that keeps the event loop busy with what is refused, and only such a one', () => {
    for (const [msPerMessage, failures] of [
      [3, 1],
      [0.01, 0],
    ] as const) {
      const world = new World([{ burst: 1 }]);
      for (let n = 0; n < 1_000; n++) {
        world.clockMs += msPerMessage;
        if (world.failures.length === 0) world.say('a');
      }
      expect(world.failures).toHaveLength(failures);
    }
    const patient = new World([{ burst: 1 }]);
    for (let n = 0; n < 1_000; n++) {
      if (n % 50 === 0) vi.advanceTimersByTime(1);
      patient.clockMs += 3;
      patient.say('a');
    }
    expect(patient.failures).toEqual([]);
    const mixed = new World([{ scope: 'method', match: 'm', burst: 1 }]);
    const bytes = Buffer.from('m');
    for (let n = 0; n < 1_000; n++) {
      mixed.clockMs += 3;
      mixed.spending.charge(9, bytes, 0, 1);
      if (n % 2 === 0) mixed.spending.charge(9, bytes, -1, -1);
    }
    expect(mixed.failures, 'some of it passes').toEqual([]);
    const large = new World([{ burst: 1 }]);
    large.say('a');
    for (let n = 0; n < 3; n++) {
      large.clockMs += 200;
      large.spending.charge(900_000, bytes, -1, -1);
    }
    expect(large.failures, 'a few large ones').toHaveLength(1);
  });

  it('ends a client for its pings only where a limit of its connection closes', () => {
    for (const [onExceed, failures] of [
      ['reject', 0],
      ['close', 1],
    ] as const) {
      const world = new World([{ burst: 3, onExceed }]);
      for (let n = 0; n < 4; n++) world.spending.chargeControlFrame();
      expect(world.failures).toHaveLength(failures);
      world.say('a');
      expect(world.sent).toEqual([]);
    }
  });

  it('decodes the escapes of a method name before it looks for its limit', () => {
    const world = new World([{ scope: 'method', match: 'tools/call' }]);
    const charge = (name: string): number => {
      const bytes = Buffer.from(name);
      return world.spending.charge(100, bytes, 0, bytes.length);
    };
    expect(charge('tools/call')).toBe(Charge.paid);
    expect(charge('tools\\/call')).toBeGreaterThan(0);
    expect(charge('\\u0074ools/call')).toBeGreaterThan(0);
    expect(charge('tools/list')).toBe(Charge.paid);
  });

  it('keeps no timer and no message of a client that is gone', () => {
    const world = new World([{ strategy: 'leaky-bucket', burst: 5, onExceed: 'delay' }]);
    world.say('a', 'b');
    world.spending.stop();
    vi.advanceTimersByTime(10_000);
    expect([world.sent, vi.getTimerCount()]).toEqual([['a'], 0]);
  });
});
