import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { undecided, type LimiterSettings } from '../limiter.ts';
import { createLimiter } from '../strategies.ts';
import { TokenBucket } from '../token-bucket.ts';
import { FakeLink, turn } from './redis-fake-link.fixture.ts';
import { redisKey } from './redis-key.ts';
import { RedisLimiter, type RedisLimiterOptions } from './redis-limiter.ts';

const thousand: LimiterSettings = { ratePerSecond: 1000, burst: 1000, windowMs: 1000 };
const keyOf = (key: string): string => redisKey('p:', 'all', key);

class Setup {
  readonly link = new FakeLink();
  nowMs = 1_000_000;
  readonly decided: number[] = [];
  onDecided = (slot: number): void => void this.decided.push(slot);
  readonly limiter: RedisLimiter;

  constructor(options: Partial<RedisLimiterOptions> = {}) {
    const { settings = thousand, slots = 4 } = options;
    this.limiter = new RedisLimiter({
      ...{ name: 'all', strategy: 'token-bucket', settings, slots, link: this.link, keyPrefix: 'p:' },
      ...{ onFailure: 'local', fallback: new TokenBucket(settings, slots) },
      onDecided: (slot) => this.onDecided(slot),
      nowMs: () => this.nowMs,
      ...options,
    });
    for (let slot = 0; slot < slots; slot++) this.limiter.reset(slot, `key ${slot}`);
  }

  take(slot = 0, cost = 1): number {
    return this.limiter.take(slot, cost, this.nowMs);
  }

  fill(slot: number, units: number): void {
    this.link.room.set(keyOf(`key ${slot}`), units);
  }
}

describe('a lease', () => {
  it('is asked for once per turn, for all that waits, and spent when it has come', async () => {
    const setup = new Setup();
    setup.fill(0, 100);
    expect([setup.take(), setup.take(), setup.take(0, 3)]).toEqual([undecided, undecided, undecided]);
    await turn();
    expect(setup.link.pending).toMatchObject([{ key: keyOf('key 0'), request: { want: 5, least: 1 } }]);
    await setup.link.answer();
    expect(setup.decided).toEqual([0]);
    expect([setup.take(), setup.take(), setup.take(0, 3)]).toEqual([0, 0, 0]);
    expect(setup.take()).toBe(undecided);
  });

  it('grows with use, ahead of need, but not above a quarter of the burst', async () => {
    const setup = new Setup();
    setup.fill(0, 10_000);
    const wants: number[] = [];
    for (let ms = 0; ms < 400; ms++) {
      setup.nowMs++;
      for (let i = 0; i < (ms < 200 ? 1 : 100); i++) setup.take();
      await turn();
      for (const { want } of await setup.link.answer()) wants.push(want);
    }
    expect(wants[0]).toBe(1);
    expect(wants.slice(10).filter((want) => want >= 15 && want <= 40).length).toBeGreaterThan(2);
    expect(Math.max(...wants)).toBe(100);
    expect(wants.length).toBeLessThan(250);
  });

  it('has what is left of it given back within 100 ms', async () => {
    const setup = new Setup();
    setup.fill(0, 100);
    for (let i = 0; i < 10; i++) setup.take();
    await turn();
    await setup.link.answer();
    for (let i = 0; i < 4; i++) setup.take();
    setup.nowMs += 49;
    setup.limiter.sweep(setup.nowMs);
    expect(setup.link.pending).toEqual([]);
    expect(setup.limiter.isFresh(0, setup.nowMs)).toBe(false);
    setup.nowMs += 1;
    setup.limiter.sweep(setup.nowMs);
    expect(setup.link.pending).toMatchObject([{ request: { want: 0, returned: 6 } }]);
    expect(setup.limiter.isFresh(0, setup.nowMs)).toBe(true);
  });

  it('has what is left of it given back by its own timer', async () => {
    const setup = new Setup({ nowMs: () => performance.now() });
    setup.fill(0, 100);
    setup.take(0, 10);
    await turn();
    await setup.link.answer();
    await expect.poll(() => setup.link.pending).toMatchObject([{ request: { returned: 10 } }]);
  });

  it('takes back what was refunded', async () => {
    const setup = new Setup();
    setup.fill(0, 5);
    setup.take(0, 5);
    await turn();
    await setup.link.answer();
    expect(setup.take(0, 5)).toBe(0);
    setup.limiter.refund(0, 5);
    expect(setup.take(0, 5)).toBe(0);
  });

  it('that is asked for a key which is gone is given back to it, not to the next key', async () => {
    const setup = new Setup();
    setup.fill(0, 100);
    setup.take(0, 7);
    await turn();
    setup.limiter.reset(0, 'another');
    await setup.link.answer();
    expect(setup.decided).toEqual([0]);
    expect(setup.link.pending).toMatchObject([{ key: keyOf('key 0'), request: { want: 0, returned: 7 } }]);
    expect(setup.take()).toBe(undecided);
    await turn();
    expect(setup.link.pending.at(-1)).toMatchObject({ key: keyOf('another') });
  });

  it('that was to be asked for a key which is gone leaves nobody waiting', async () => {
    const setup = new Setup();
    setup.take(0, 7);
    setup.limiter.reset(0, 'another');
    await turn();
    expect(setup.link.pending).toEqual([]);
    expect(setup.decided).toEqual([0]);
  });

  it('goes back when the key, the settings or the limit change', async () => {
    const setup = new Setup();
    for (const slot of [0, 1, 2, 3]) setup.fill(slot, 10);
    for (const slot of [0, 1, 2, 3]) setup.take(slot, 10);
    await turn();
    await setup.link.answer();
    setup.limiter.reset(0, 'another');
    setup.limiter.merge(1, 2, setup.nowMs);
    expect(setup.take(2, 10)).toBe(0);
    setup.limiter.refund(2, 10);
    setup.limiter.configure({ ...thousand, burst: 5 }, setup.nowMs);
    expect(setup.link.pending.map(({ key, request }) => [key, request.returned])).toEqual(
      [0, 1, 2, 3].map((slot) => [keyOf(`key ${slot}`), 10]),
    );
    setup.limiter.close();
    expect(setup.link.listeners).toBe(0);
  });

  it('goes back when it comes after the limit is no more', async () => {
    const setup = new Setup();
    setup.fill(0, 10);
    setup.fill(1, 10);
    setup.take(1, 10);
    await turn();
    await setup.link.answer();
    setup.take(0, 10);
    await turn();
    setup.limiter.close();
    await setup.link.answer();
    await setup.link.answer();
    expect([setup.link.granted, setup.link.returned]).toEqual([20, 20]);
    expect(setup.decided).toEqual([1, 0]);
  });
});

describe('a batch that is taken again as a whole', () => {
  class Batches extends Setup {
    readonly waiting = new Set<number>();
    readonly passed: number[] = [];
    requests = 0;
    override onDecided = (): void => {
      for (const size of [...this.waiting]) this.send(size);
    };

    /** All of its elements are taken in one turn; what was got is given back while others are undecided. */
    send(size: number): void {
      this.waiting.delete(size);
      const waits = Array.from({ length: size }, () => this.take());
      const passed = waits.filter((waitMs) => waitMs === 0).length;
      if (!waits.includes(undecided)) return void this.passed.push(passed);
      for (let i = 0; i < passed; i++) this.limiter.refund(0, 1);
      this.waiting.add(size);
    }

    async run(): Promise<void> {
      while (this.waiting.size > 0) {
        await turn();
        this.requests += this.link.pending.length;
        await this.link.answer();
      }
    }
  }

  it.each([0, 10, 990])('is asked for in one or two requests when %i units are there', async (held) => {
    const setup = new Batches();
    setup.fill(0, 10_000);
    if (held > 0) setup.send(held);
    await setup.run();
    for (let i = 0; i < held; i++) setup.limiter.refund(0, 1);
    setup.requests = 0;
    setup.send(1000);
    await setup.run();
    expect(setup.passed.at(-1)).toBe(1000);
    expect(setup.requests).toBeLessThanOrEqual(2);
  });

  it('is asked for together with others, and after what is being asked for', async () => {
    const setup = new Batches({ settings: { ...thousand, burst: 5000 } });
    setup.fill(0, 10_000);
    setup.send(1);
    await turn();
    for (const size of [100, 200, 300]) setup.send(size);
    await setup.run();
    expect(setup.passed.toSorted((a, b) => a - b)).toEqual([1, 100, 200, 300]);
    expect(setup.requests).toBeLessThanOrEqual(3);
  });

  it('gets what there is when it needs more than the limit can hold', async () => {
    const setup = new Batches({ settings: { ...thousand, burst: 100 } });
    setup.fill(0, 100);
    setup.send(1000);
    await setup.run();
    expect(setup.passed).toEqual([100]);
    expect(setup.requests).toBeLessThanOrEqual(2);
  });
});

describe('a refusal', () => {
  it('is asked about again every 100 ms: others may have given back', async () => {
    const setup = new Setup();
    setup.link.waitMs = 10_000;
    setup.take(0, 10);
    await turn();
    await setup.link.answer();
    let requests = 0;
    for (let ms = 0; ms < 1_000; ms += 10) {
      setup.nowMs += 10;
      expect(setup.take(0, 10)).toBeGreaterThan(0);
      await turn();
      requests += setup.link.pending.length;
      await setup.link.answer();
    }
    expect(requests).toBeGreaterThanOrEqual(9);
    expect(requests).toBeLessThanOrEqual(10);
    setup.fill(0, 9);
    setup.nowMs += 100;
    expect(setup.limiter.peek(0, 10, setup.nowMs)).toBeGreaterThan(0);
    await turn();
    expect(await setup.link.answer()).toMatchObject([{ want: 10, least: 10 }]);
    setup.fill(0, 10);
    setup.nowMs += 100;
    expect(setup.take(0, 10)).toBeGreaterThan(0);
    await turn();
    await setup.link.answer();
    expect(setup.take(0, 10)).toBe(0);
  });

  it('is not asked about while the key is blocked', async () => {
    const setup = new Setup();
    setup.limiter.block(0, 5_000, setup.nowMs);
    setup.link.pending.length = 0;
    setup.nowMs += 1_000;
    expect(setup.take()).toBe(4_000);
    await turn();
    expect(setup.link.pending).toEqual([]);
  });

  it('is remembered until its end, for that cost and those above it', async () => {
    const setup = new Setup();
    setup.fill(0, 5);
    setup.take(0, 10);
    await turn();
    await setup.link.answer();
    expect(setup.take(0, 10)).toBe(20);
    expect(setup.take(0, 30)).toBe(40);
    setup.nowMs += 6;
    expect(setup.take(0, 10)).toBe(14);
    expect(setup.limiter.isFresh(0, setup.nowMs)).toBe(false);
    await turn();
    expect(setup.link.pending).toEqual([]);
    expect(setup.take(0, 2)).toBe(undecided);
    await turn();
    await setup.link.answer();
    expect(setup.take(0, 2)).toBe(0);
  });

  it('follows when a key had less than was wanted, for some milliseconds', async () => {
    const setup = new Setup();
    setup.fill(0, 3);
    for (let i = 0; i < 5; i++) setup.take();
    await turn();
    await setup.link.answer();
    expect([0, 1, 2, 3].map(() => setup.take())).toEqual([0, 0, 0, 5]);
    setup.nowMs += 5;
    expect(setup.take()).toBe(undecided);
  });

  it('costs no call for each message', async () => {
    const setup = new Setup();
    let calls = 0;
    for (let ms = 0; ms < 1000; ms++) {
      setup.nowMs++;
      setup.take();
      await turn();
      calls += (await setup.link.answer()).length;
    }
    expect(calls).toBeGreaterThan(10);
    expect(calls).toBeLessThanOrEqual(1000 / 20);
  });

  it('passes on to a slot that is merged with', async () => {
    const setup = new Setup();
    setup.fill(1, 10);
    setup.take(0);
    setup.take(1);
    await turn();
    await setup.link.answer();
    setup.limiter.merge(0, 1, setup.nowMs);
    expect(setup.take(1)).toBe(20);
  });
});

describe('the penalty box', () => {
  it('is told to Redis once, and refuses at once', async () => {
    const setup = new Setup();
    setup.fill(0, 10);
    setup.take();
    await turn();
    setup.limiter.block(0, 500, setup.nowMs);
    setup.limiter.block(0, 900, setup.nowMs);
    expect(setup.take()).toBe(500);
    await setup.link.answer();
    expect(setup.link.blocks).toBe(1);
    expect(setup.link.pending).toMatchObject([{ request: { returned: 1 } }]);
    expect(setup.decided).toEqual([0]);
    expect([setup.take(0, 1), setup.take(0, 9)]).toEqual([500, 500]);
  });

  it('takes away what was leased', async () => {
    const setup = new Setup();
    setup.fill(0, 10);
    setup.take(0, 10);
    await turn();
    await setup.link.answer();
    setup.limiter.block(0, 500, setup.nowMs);
    expect(setup.take()).toBe(500);
    setup.limiter.sweep(setup.nowMs + 100);
    expect(setup.link.pending).toMatchObject([{ request: { blockMs: 500, returned: 0 } }]);
  });

  it('is left when Redis says, whoever put the key in', async () => {
    const setup = new Setup();
    setup.link.blocked = true;
    setup.link.waitMs = 30_000;
    setup.take();
    await turn();
    await setup.link.answer();
    expect(setup.take()).toBe(30_000);
    setup.limiter.block(0, 60_000, setup.nowMs);
    expect(setup.take()).toBe(30_000);
    setup.nowMs += 30_000;
    expect(setup.take()).toBe(undecided);
  });

  it('is no place for those whom nobody but an absent Redis refused', async () => {
    const setup = new Setup({ onFailure: 'closed' });
    await setup.link.set(false);
    setup.limiter.block(0, 60_000, setup.nowMs);
    await setup.link.set(true);
    expect(setup.take()).toBe(undecided);
  });
});

describe('without Redis', () => {
  it.each([
    ['local', [0, 0, 1]],
    ['open', [0, 0, 0]],
    ['closed', [1000, 1000, 1000]],
  ] as const)('decides at once where failure is %s', async (onFailure, expected) => {
    const setup = new Setup({ onFailure, settings: { ...thousand, burst: 2 } });
    setup.fill(1, 100);
    setup.take(1, 2);
    await turn();
    await setup.link.answer();
    await setup.link.set(false);
    expect(expected.map(() => setup.take())).toEqual(expected);
    expect(setup.limiter.peek(0, 1, setup.nowMs)).toBe(expected[2]);
    setup.limiter.refund(0, 1);
    expect(setup.take()).toBe(expected[0]);
    await setup.link.set(true);
    expect(setup.take()).toBe(undecided);
  });

  it.each([
    ['token-bucket', 600],
    ['token-bucket', 1000],
    ['sliding-window', 600],
  ] as const)('goes on locally from what this gateway was granted: %s, %i', async (strategy, used) => {
    const setup = new Setup({ strategy, fallback: createLimiter(strategy, thousand, 4) });
    setup.fill(0, used);
    setup.take(0, used);
    await turn();
    await setup.link.answer();
    expect(setup.take(0, used)).toBe(0);
    await setup.link.set(false);
    let passed = 0;
    while (passed <= 1000 && setup.take() === 0) passed++;
    expect(passed).toBe(1000 - used);
  });

  it('has no more left locally than was left of what it was granted, to a unit', async () => {
    const setup = new Setup();
    for (const units of [990, 900]) {
      setup.fill(0, units);
      setup.take(0, units);
      await turn();
      await setup.link.answer();
    }
    await setup.link.set(false);
    expect(setup.take(0, 2)).toBeGreaterThan(0);
    setup.nowMs += 1_000;
    expect(setup.take(0, 1_000)).toBe(0);
  });

  it('forgets why it refused: Redis may come back empty', async () => {
    const setup = new Setup();
    setup.link.waitMs = 60_000;
    setup.take();
    await turn();
    await setup.link.answer();
    expect(setup.take()).toBe(60_000);
    await setup.link.set(false);
    await setup.link.set(true);
    expect(setup.take()).toBe(undecided);
  });

  it('leaves nobody waiting when it goes', async () => {
    const setup = new Setup({ onFailure: 'open' });
    setup.onDecided = (slot) => setup.decided.push(setup.take(slot));
    setup.take(0);
    await turn();
    setup.take(1);
    await setup.link.set(false);
    expect(setup.decided).toEqual([0, 0]);
  });
});

describe('a Redis that is late', () => {
  it.each([
    ['local', [0, 0, 1]],
    ['open', [0, 0, 0]],
    ['closed', [1000, 1000, 1000]],
  ] as const)('leaves the slot to the failure mode until it answers: %s', async (onFailure, expected) => {
    const setup = new Setup({ onFailure, settings: { ...thousand, burst: 2 } });
    setup.onDecided = (slot) => setup.decided.push(setup.take(slot));
    setup.take();
    await turn();
    await setup.link.miss();
    expect(setup.decided).toEqual([expected[0]]);
    expect([setup.take(), setup.take()]).toEqual(expected.slice(1));
    expect(setup.limiter.peek(0, 1, setup.nowMs)).toBe(expected[2]);
    expect(setup.take(1)).toBe(undecided);
    setup.fill(0, 5);
    setup.onDecided = () => undefined;
    await turn();
    await setup.link.answer();
    await setup.link.answer();
    setup.nowMs += 5;
    expect([setup.take(), setup.take()]).toContain(0);
    expect(setup.take(2)).toBe(undecided);
  });

  it('hears afterwards of what passed locally without it', async () => {
    const setup = new Setup();
    setup.take(0, 3);
    await turn();
    await setup.link.miss();
    expect([setup.take(0, 3), setup.take(0, 4)]).toEqual([0, 0]);
    setup.limiter.refund(0, 4);
    setup.fill(0, 10);
    await setup.link.answer();
    expect((await setup.link.answer()).map(({ returned }) => returned)).toEqual([-3]);
    expect(setup.link.room.get(keyOf('key 0'))).toBe(6);
  });

  it('has what the failure mode took refunded to it, and what was leased given back', async () => {
    const setup = new Setup({ settings: { ...thousand, burst: 5 } });
    setup.fill(0, 2);
    setup.take(0, 2);
    await turn();
    await setup.link.answer();
    const waits: number[] = [];
    setup.onDecided = () => {
      waits.push(setup.take(0, 3));
      setup.limiter.refund(0, 3);
    };
    setup.take(0, 3);
    await turn();
    await setup.link.miss();
    expect(waits).toEqual([0]);
    expect([setup.link.pending[0]!.request.returned, setup.limiter.isFresh(0, setup.nowMs)]).toEqual([
      2,
      false,
    ]);
    await setup.link.answer();
    expect(setup.link.granted - setup.link.returned).toBeLessThanOrEqual(2);
    setup.limiter.close();
    await setup.link.answer();
    expect(setup.link.granted).toBe(setup.link.returned);
  });
});

describe('undecided', () => {
  it('lets those who come while Redis is asked wait for the next answer, which is due when they have waited', async () => {
    const setup = new Setup();
    setup.fill(0, 100);
    setup.onDecided = () => setup.decided.push(setup.take(), setup.take());
    setup.take();
    await turn();
    expect(setup.link.pending[0]!.patienceMs).toBe(40);
    setup.nowMs += 10;
    setup.take();
    setup.nowMs += 15;
    await setup.link.answer();
    expect(setup.decided).toEqual([0, undecided]);
    expect(setup.link.pending[0]!.patienceMs).toBe(25);
    await setup.link.answer();
    expect(setup.decided.slice(2)).toEqual([0, undecided]);
  });

  it('lasts no longer for two answers than it would for one', async () => {
    const setup = new Setup({ settings: { ...thousand, burst: 3 } });
    setup.fill(0, 3);
    setup.onDecided = () => setup.decided.push(setup.take(), setup.take(), setup.take(), setup.take());
    for (let i = 0; i < 4; i++) setup.take();
    await turn();
    setup.nowMs += 30;
    await setup.link.answer();
    expect(setup.decided).toEqual([0, 0, 0, undecided]);
    expect(setup.link.pending).toMatchObject([{ request: { want: 1 }, patienceMs: 10 }]);
  });

  it('gives Redis a while however long a turn took', async () => {
    const setup = new Setup();
    setup.take();
    setup.nowMs += 100;
    await turn();
    expect(setup.link.pending[0]!.patienceMs).toBe(10);
  });

  it('has a look asked for, and told of', async () => {
    const setup = new Setup();
    setup.fill(0, 1);
    expect(setup.limiter.peek(0, 1, setup.nowMs)).toBe(undecided);
    await turn();
    expect(await setup.link.answer()).toMatchObject([{ want: 1, least: 1 }]);
    expect(setup.decided).toEqual([0]);
    expect(setup.limiter.peek(0, 1, setup.nowMs)).toBe(0);
    expect(setup.take()).toBe(0);
  });
});

type Step =
  | { readonly do: 'take'; readonly slot: number; readonly cost: number }
  | { readonly do: 'refund' | 'reset' | 'block' | 'merge' | 'peek'; readonly slot: number }
  | { readonly do: 'turn' | 'answer' | 'miss' | 'sweep' | 'down' | 'up' | 'configure' }
  | { readonly do: 'pass'; readonly ms: number };

const slot = fc.nat(2);
const steps = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({ do: fc.constant('take' as const), slot, cost: fc.integer({ min: 1, max: 5 }) }),
    },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'refund' as const,
          'reset' as const,
          'block' as const,
          'merge' as const,
          'peek' as const,
        ),
        slot,
      }),
    },
    {
      weight: 6,
      arbitrary: fc.record({
        do: fc.constantFrom(
          'turn' as const,
          'answer' as const,
          'answer' as const,
          'miss' as const,
          'sweep' as const,
          'down' as const,
          'up' as const,
          'configure' as const,
        ),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 60 }) }),
    },
  ),
  { maxLength: 120 },
);

it('never spends more than was leased and not given back, and tells all who wait', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (run) => {
      const setup = new Setup({ onFailure: 'closed', slots: 3 });
      const waits = new Set<number>();
      let spent = 0;
      let last: { slot: number; cost: number } | undefined;
      setup.onDecided = (slot) => void waits.delete(slot);
      const doStep = async (step: Step): Promise<void> => {
        const mayRefund = last;
        last = undefined;
        switch (step.do) {
          case 'take': {
            const wait = setup.take(step.slot, step.cost);
            if (wait === undecided) waits.add(step.slot);
            if (wait !== 0) return;
            spent += step.cost;
            last = step;
            return;
          }
          case 'refund':
            if (mayRefund === undefined) return;
            setup.limiter.refund(mayRefund.slot, mayRefund.cost);
            spent -= mayRefund.cost;
            return;
          case 'peek':
            if (setup.limiter.peek(step.slot, 1, setup.nowMs) === undecided) waits.add(step.slot);
            return;
          case 'reset': {
            setup.limiter.reset(step.slot, `key ${(step.slot + spent) % 5}`);
            return;
          }
          case 'block': {
            setup.limiter.block(step.slot, 20, setup.nowMs);
            return;
          }
          case 'merge': {
            setup.limiter.merge(step.slot, (step.slot + 1) % 3, setup.nowMs);
            return;
          }
          case 'configure': {
            setup.limiter.configure({ ...thousand, burst: 1 + (spent % 50) }, setup.nowMs);
            return;
          }
          case 'sweep': {
            setup.limiter.sweep(setup.nowMs);
            return;
          }
          case 'pass':
            setup.nowMs += step.ms;
            for (let key = 0; key < 5; key++) setup.link.room.set(keyOf(`key ${key}`), step.ms);
            return;
          case 'turn':
            return turn();
          case 'answer':
            await setup.link.answer(1);
            return;
          case 'miss':
            return setup.link.miss();
          case 'down':
          case 'up':
            return setup.link.set(step.do === 'up');
        }
      };
      for (const step of run) {
        await doStep(step);
        expect(spent).toBeLessThanOrEqual(setup.link.granted - setup.link.returned);
      }
      await turn();
      await setup.link.answer();
      await setup.link.answer();
      expect([...waits]).toEqual([]);
      setup.limiter.close();
      await setup.link.answer();
      expect(spent).toBeLessThanOrEqual(setup.link.granted - setup.link.returned);
    }),
    { numRuns: 150 },
  );
});
