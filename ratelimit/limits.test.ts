import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Verdict, type Allowance, type MethodBytes } from './allowance.ts';
import { decisions, scopes, type ClientKeys, type LimitConfig } from './limit-config.ts';
import { limitOf, localLimits } from './limits.fixture.ts';
import { settingsOf } from './limit.ts';
import type { Limits } from './limits.ts';
import { createLimiter } from './strategies.ts';

const nobody = { onDecided: () => undefined };
const none: MethodBytes = { buf: new Uint8Array(0), start: -1, end: -1 };

function methodBytes(name: string): MethodBytes {
  const buf = Buffer.from(`<${name}>`);
  return { buf, start: 1, end: buf.length - 1 };
}

function client(differing: Partial<ClientKeys> = {}): ClientKeys {
  return { ip: '192.0.2.1', identity: 'id me', route: '/ws', ...differing };
}

function open(limits: Limits, differing: Partial<ClientKeys> = {}): Allowance {
  return limits.open(client(differing), nobody);
}

/** How many of `count` requests may go. */
function passed(allowance: Allowance, count: number, method = none, nowMs = 0): number {
  const verdicts = Array.from({ length: count }, () => {
    const verdict = allowance.take(10, nowMs, method);
    if (verdict === Verdict.go) allowance.watch(10, nowMs, method);
    return verdict;
  });
  return verdicts.filter((verdict) => verdict === Verdict.go).length;
}

function decided(limits: Limits, scope: string): Record<string, number> {
  const counts = limits.decisionCounts().filter(([of, , count]) => of === scope && count > 0);
  return Object.fromEntries(counts.map(([, decision, count]) => [decision, count]));
}

describe('limits', () => {
  it.each<[string, Partial<LimitConfig>, Partial<ClientKeys>, Partial<ClientKeys>]>([
    ['all clients', { scope: 'global' }, { ip: '192.0.2.2', identity: 'id you', route: '/x' }, {}],
    ['the clients of an address', { scope: 'ip' }, { identity: 'id you' }, { ip: '192.0.2.2' }],
    ['the clients of an identity', { scope: 'identity' }, { ip: '192.0.2.2' }, { identity: 'id you' }],
    ['the clients of a route', { scope: 'route' }, { ip: '192.0.2.2' }, { route: '/x' }],
    [
      'the clients of an address on a route',
      { scope: 'route', per: 'ip' },
      { identity: 'id you' },
      { route: '/x' },
    ],
  ])('share an allowance between %s', (_, config, same, other) => {
    const limits = localLimits([{ ...config, burst: 10 }]);
    expect(passed(open(limits), 6)).toBe(6);
    expect(passed(open(limits, same), 6)).toBe(4);
    if (config.scope !== 'global') expect(passed(open(limits, other), 6)).toBe(6);
  });

  it('count every decision of every scope, at 0 from the start', () => {
    const limits = localLimits();
    expect(limits.decisionCounts()).toEqual(
      scopes.flatMap((scope) => decisions.map((decision) => [scope, decision, 0])),
    );
    expect(limits.keyCounts()).toEqual(scopes.map((scope) => [scope, 0]));
  });

  it('give each connection an allowance of its own, and a new one a fresh one', () => {
    const limits = localLimits([{ scope: 'connection', burst: 3 }]);
    const first = open(limits);
    expect([passed(first, 5), passed(open(limits), 5)]).toEqual([3, 3]);
    first.release();
    expect(passed(open(limits), 5)).toBe(3);
  });

  it('apply to a route only where it is theirs', () => {
    const limits = localLimits([{ scope: 'route', match: '/ws', burst: 2 }]);
    expect([passed(open(limits), 5), passed(open(limits, { route: '/x' }), 5)]).toEqual([2, 5]);
  });

  it('apply to methods by name or by how they begin', () => {
    const limits = localLimits([
      { scope: 'method', match: 'tools/call', burst: 1 },
      { scope: 'method', match: 'tools/*', burst: 3 },
      { scope: 'method', match: 'slow', per: 'connection', burst: 2 },
    ]);
    const one = open(limits);
    expect(passed(one, 3, methodBytes('tools/call'))).toBe(1);
    expect(passed(one, 5, methodBytes('tools/list'))).toBe(2);
    expect(passed(one, 5, methodBytes('tool'))).toBe(5);
    expect(passed(one, 5)).toBe(5);
    expect([passed(one, 5, methodBytes('slow')), passed(open(limits), 5, methodBytes('slow'))]).toEqual([
      2, 2,
    ]);
  });

  it('charge bytes where they count bytes', () => {
    const limits = localLimits([{ scope: 'connection', unit: 'bytes', requestsPerSecond: 25 }]);
    expect(passed(open(limits), 5)).toBe(2);
  });

  it('charge nothing for what one of them refuses', () => {
    const limits = localLimits([
      { scope: 'global', burst: 10 },
      { scope: 'connection', burst: 2 },
      { scope: 'method', match: 'm', burst: 10 },
    ]);
    const first = open(limits);
    expect(passed(first, 100, methodBytes('m'))).toBe(2);
    const others = [1, 2, 3, 4, 5].map(() => passed(open(limits), 2, methodBytes('m')));
    expect(others).toEqual([2, 2, 2, 2, 0]);
    expect(decided(limits, 'global')).toEqual({ allowed: 10, rejected: 2 });
    expect(decided(limits, 'connection')).toEqual({ allowed: 10, rejected: 98 });
    expect(decided(limits, 'method')).toEqual({ allowed: 10, rejected: 2 });
  });

  it('give the strictest answer: the hardest, and of refusals the longest wait', () => {
    const slow = { scope: 'global', requestsPerSecond: 0.1, burst: 1 } as const;
    const quick = { scope: 'connection', requestsPerSecond: 10, burst: 1 } as const;
    const verdictOf = (...configs: Partial<LimitConfig>[]): number => {
      const allowance = open(localLimits(configs));
      allowance.take(1, 0, none);
      return allowance.take(1, 0, none);
    };
    expect(verdictOf(slow, quick)).toBe(10_000);
    expect(verdictOf(quick, slow)).toBe(10_000);
    expect(verdictOf(quick, { ...slow, onExceed: 'drop' })).toBe(Verdict.drop);
    expect(verdictOf({ ...quick, onExceed: 'close' }, { ...slow, onExceed: 'drop' })).toBe(Verdict.close);
    expect(verdictOf({ ...quick, blockMs: 60_000 }, slow)).toBe(60_000);
  });

  it('refuse everything for blockMs from the first refusal on, however often it is tried', () => {
    const limits = localLimits([{ requestsPerSecond: 100, burst: 2, blockMs: 1_000 }]);
    const allowance = open(limits);
    expect(passed(allowance, 3)).toBe(2);
    for (let nowMs = 100; nowMs < 1_000; nowMs += 100) {
      expect(allowance.take(1, nowMs, none)).toBe(1_000 - nowMs);
    }
    expect(allowance.take(1, 1_001, none)).toBe(Verdict.go);
  });

  it('say of a key that was blocked elsewhere how long that still lasts', () => {
    const blockedMs = 700;
    const limits = localLimits([{ burst: 3, blockMs: 1_000 }], {
      createLimiter: ({ config, slots }) =>
        Object.assign(createLimiter(config.strategy, settingsOf(config), slots), {
          take: () => blockedMs,
          peek: () => blockedMs,
          block: () => undefined,
        }),
    });
    expect(open(limits).take(1, 0, none)).toBe(blockedMs);
  });

  it('only count with dryRun what they would have refused, and only of what others allow', () => {
    const limits = localLimits([
      { scope: 'global', burst: 2, dryRun: true, onExceed: 'close' },
      { scope: 'connection', burst: 5 },
    ]);
    expect(passed(open(limits), 10)).toBe(5);
    expect(decided(limits, 'global')).toEqual({ allowed: 2, dry_run: 3 });
    expect(limits.refusals()).toEqual([
      { name: 'global, messages, token-bucket', onExceed: 'close', refused: 0, wouldHaveRefused: 3 },
      { name: 'connection, messages, token-bucket', onExceed: 'reject', refused: 5, wouldHaveRefused: 0 },
    ]);
  });

  it('keep what was used of a limit that stays, whatever else changes', () => {
    const limits = localLimits([
      { scope: 'global', burst: 10 },
      { scope: 'connection', burst: 100 },
    ]);
    const allowance = open(limits);
    expect(passed(allowance, 8)).toBe(8);
    limits.apply([limitOf({ scope: 'global', burst: 12 })]);
    expect(passed(allowance, 8)).toBe(4);
    limits.apply([]);
    expect([passed(allowance, 8), allowance.isLimited]).toEqual([8, false]);
    limits.apply([limitOf({ scope: 'connection', burst: 1 })]);
    expect([allowance.isLimited, passed(allowance, 8)]).toEqual([true, 1]);
    expect(decided(limits, 'global')).toEqual({ allowed: 12, rejected: 4 });
  });

  it('stand side by side on one scope, and each keeps what was used of it', () => {
    const pair = (burst: number): LimitConfig[] => [
      limitOf({ scope: 'ip', requestsPerSecond: 10, burst: 3 }),
      limitOf({ scope: 'ip', requestsPerSecond: 1, burst }),
    ];
    let nowMs = 0;
    const limits = localLimits(pair(5), { now: () => nowMs });
    const allowance = open(limits);
    expect([
      passed(allowance, 9, none, 0),
      passed(allowance, 9, none, 300),
      passed(allowance, 9, none, 600),
    ]).toEqual([3, 2, 0]);
    nowMs = 600;
    limits.apply(pair(6));
    expect(passed(allowance, 9, none, 600)).toBe(1);
    expect(limits.figures().map(({ name, isImplied }) => [name, isImplied])).toEqual([
      ['ip, messages, token-bucket', false],
      ['ip, messages, token-bucket #2', false],
      ['ip, connections, token-bucket', true],
      ['ip, connections, token-bucket #2', true],
    ]);
  });

  it('give slots of connections back whatever changed in the meantime', () => {
    const limits = localLimits([{ scope: 'connection' }], { maxConnections: 2 });
    for (let round = 0; round < 10; round++) {
      const both = [open(limits), open(limits)];
      if (round % 2 === 0) limits.apply([limitOf({ scope: 'connection', burst: round + 1 })]);
      if (round % 3 === 0) both[0]!.take(1, 0, none);
      for (const allowance of both) {
        allowance.release();
        allowance.release();
      }
    }
    expect(limits.keyCounts()).toContainEqual(['connection', 0]);
  });

  it('tell who is in the penalty box how long it is until all of a large message may pass', () => {
    const limits = localLimits([
      { scope: 'connection', unit: 'bytes', requestsPerSecond: 1_000, burst: 1_000, blockMs: 2_000 },
    ]);
    const allowance = open(limits);
    expect(allowance.take(800, 0, none)).toBe(Verdict.go);
    let nowMs = 0;
    for (let round = 0; round < 3; round++) {
      const waitMs = allowance.take(800, nowMs, none);
      expect(waitMs).toBeGreaterThan(2_000);
      nowMs += waitMs;
      expect(allowance.take(800, nowMs, none)).toBe(Verdict.go);
    }
  });

  it('keep who is in the penalty box there until its time, whatever figures they get', () => {
    let nowMs = 0;
    const slow = { requestsPerSecond: 0.05, burst: 1, blockMs: 10_000 };
    for (const strategy of ['token-bucket', 'leaky-bucket'] as const) {
      const limits = localLimits([{ ...slow, strategy }], { now: () => nowMs });
      nowMs = 0;
      const allowance = open(limits);
      passed(allowance, 2);
      limits.apply([limitOf({ ...slow, strategy, requestsPerSecond: 10, burst: 10 })]);
      for (nowMs = 1_000; nowMs < 10_000; nowMs += 1_000) {
        expect(allowance.take(1, nowMs, none)).toBe(10_000 - nowMs);
        limits.apply([limitOf({ ...slow, strategy, requestsPerSecond: 10 + nowMs / 1_000, burst: 10 })]);
      }
      expect(allowance.take(1, 10_001, none)).toBe(Verdict.go);
    }
  });

  it('count what is taken back for what it was', () => {
    const limits = localLimits([{ strategy: 'leaky-bucket', burst: 3, onExceed: 'delay' }]);
    const allowance = open(limits);
    const verdicts = [0, 1, 2].map(() => allowance.take(1, 0, none));
    expect(decided(limits, 'connection')).toEqual({ allowed: 1, delayed: 2 });
    for (const verdict of verdicts) allowance.refund(1, none, verdict);
    expect(decided(limits, 'connection')).toEqual({});
  });

  it('tell who would wait too long when it would not', () => {
    const limits = localLimits([
      { strategy: 'leaky-bucket', requestsPerSecond: 1, burst: 100, onExceed: 'delay', maxDelayMs: 2_000 },
    ]);
    const allowance = open(limits);
    expect([0, 1, 2].map(() => allowance.take(1, 0, none))).toEqual([
      Verdict.go,
      Verdict.later,
      Verdict.later,
    ]);
    expect(allowance.take(1, 0, none)).toBe(1_000);
    expect(allowance.take(1, 1_000, none)).toBe(Verdict.later);
  });

  it('count control frames against each limit of their connection, and against none that another one spares', () => {
    const limits = localLimits([
      { burst: 100, strategy: 'leaky-bucket', onExceed: 'delay' },
      { burst: 3 },
      { burst: 2, strategy: 'sliding-window', requestsPerSecond: 2, dryRun: true },
      { scope: 'ip', burst: 1 },
    ]);
    const allowance = open(limits);
    for (let n = 0; n < 10; n++) expect(allowance.takeControlFrame(0)).toBe(false);
    expect(decided(limits, 'connection')).toEqual({ allowed: 3 + 3 + 2, dry_run: 1, rejected: 7 });
    expect(decided(limits, 'ip')).toEqual({});
  });

  it('turn away new connections of an address as they turn away its messages, each counted by itself', () => {
    const limits = localLimits([{ scope: 'ip', burst: 3 }]);
    expect([1, 2, 3, 4].map(() => limits.arrive(client()))).toEqual([0, 0, 0, 1_000]);
    expect(limits.arrive(client({ ip: '192.0.2.2' }))).toBe(0);
    expect(passed(open(limits), 5)).toBe(3);
  });

  it('turn away who cannot send a message now, but nobody for what others use up', () => {
    const limits = localLimits([
      { scope: 'identity', burst: 2 },
      { scope: 'global', burst: 4 },
    ]);
    expect(passed(open(limits), 5)).toBe(2);
    expect(limits.arrive(client())).toBe(1_000);
    expect(passed(open(limits, { identity: 'id you' }), 5)).toBe(2);
    expect(limits.arrive(client({ identity: 'id third' }))).toBe(0);
  });

  it('count new connections as they are told to, where they are', () => {
    const limits = localLimits([
      { scope: 'ip', burst: 1 },
      { scope: 'ip', unit: 'connections', burst: 2 },
      { scope: 'global', unit: 'connections', burst: 3 },
    ]);
    expect([1, 2, 3].map(() => limits.arrive(client()))).toEqual([0, 0, 1_000]);
    expect(['a', 'b'].map((ip) => limits.arrive(client({ ip })))).toEqual([0, 1_000]);
    expect(decided(limits, 'global')).toEqual({ allowed: 3, rejected: 1 });
  });

  it('show the keys that were refused most, as they are or hashed', () => {
    const configs = [{ scope: 'ip', burst: 1 }] as const;
    for (const [showKeys, key] of [
      ['clear', /^192\.0\.2\.7$/],
      ['hashed', /^[0-9a-f]{16}$/],
    ] as const) {
      const limits = localLimits(configs, { showKeys });
      for (let n = 1; n < 10; n++) passed(open(limits, { ip: `192.0.2.${n}` }), n === 7 ? 50 : n);
      const [top] = limits.figures()[0]!.topKeys;
      expect(top).toMatchObject({ refused: 49, retryAfterMs: 1_000 });
      expect(top!.key).toMatch(key);
    }
  });

  it('forget keys that have nothing used, in slices', () => {
    let nowMs = 0;
    const limits = localLimits([{ scope: 'ip' }], { now: () => nowMs });
    for (let n = 0; n < 500; n++) {
      const allowance = open(limits, { ip: `${n}` });
      passed(allowance, 1);
      allowance.release();
    }
    expect(limits.keyCounts()).toContainEqual(['ip', 500]);
    limits.sweep();
    expect(limits.keyCounts()).toContainEqual(['ip', 500]);
    nowMs = 10_000;
    for (let n = 0; n < 5; n++) limits.sweep();
    expect(limits.keyCounts()).toContainEqual(['ip', 0]);
  });

  it('take back what was taken for a request that does not go after all', () => {
    const limits = localLimits([
      { scope: 'connection', burst: 3 },
      { scope: 'method', match: 'm', burst: 3 },
    ]);
    const allowance = open(limits);
    const method = methodBytes('m');
    for (let n = 0; n < 10; n++) {
      expect(allowance.take(1, 0, method)).toBe(Verdict.go);
      allowance.refund(1, method, Verdict.go);
    }
    expect(passed(allowance, 5, method)).toBe(3);
    for (const scope of ['connection', 'method'])
      expect(decided(limits, scope)).toEqual({ allowed: 3, rejected: 2 });
  });

  it('decide the same whether the requests of a turn are paid for in blocks or one by one', () => {
    const strategy = fc.constantFrom('token-bucket', 'leaky-bucket', 'sliding-window');
    const limit = fc.record({
      scope: fc.constantFrom('global', 'ip', 'connection'),
      strategy,
      burst: fc.integer({ min: 60, max: 200 }),
    });
    const distinct = fc.uniqueArray(limit, {
      minLength: 1,
      maxLength: 4,
      selector: (it) => it.scope + it.strategy,
    });
    const step = fc.record({
      who: fc.integer({ min: 0, max: 5 }),
      requests: fc.integer({ min: 1, max: 60 }),
      afterMs: fc.constantFrom(0, 0, 0, 1, 50, 3_000),
      what: fc.constantFrom('message', 'message', 'ping', 'leave', 'arrive'),
    });
    fc.assert(
      fc.property(distinct, fc.array(step, { maxLength: 40 }), (given, steps) => {
        const configs = given.map((one) => limitOf({ ...one, requestsPerSecond: one.burst }));
        const decide = (leases: boolean): number[] => {
          let nowMs = 0;
          const limits = localLimits(configs, {
            now: () => nowMs,
            createLimiter: ({ config, slots }) =>
              Object.assign(createLimiter(config.strategy, settingsOf(config), slots), { leases }),
          });
          const clients = [0, 1, 2, 3, 4, 5].map((n) => open(limits, { ip: `${n >> 1}` }));
          const verdicts: number[] = [];
          for (const { who, requests, afterMs, what } of steps) {
            nowMs += afterMs;
            const ip = `${who >> 1}`;
            if (what === 'ping') clients[who]!.takeControlFrame(nowMs);
            if (what === 'arrive') verdicts.push(limits.arrive(client({ ip })));
            if (what === 'leave') {
              clients[who]!.release();
              clients[who] = open(limits, { ip });
            }
            for (let n = 0; n < requests; n++) verdicts.push(clients[who]!.take(1, nowMs, none));
          }
          return verdicts;
        };
        expect(decide(false)).toEqual(decide(true));
      }),
    );
  });

  it('never let more through than any of them allows, and nothing less than all of them do', () => {
    const strategy = fc.constantFrom('token-bucket', 'leaky-bucket', 'sliding-window');
    const limit = fc.record({
      scope: fc.constantFrom('global', 'ip', 'connection'),
      strategy,
      burst: fc.integer({ min: 1, max: 9 }),
    });
    const distinct = fc.uniqueArray(limit, {
      maxLength: 4,
      selector: ({ scope, strategy }) => scope + strategy,
    });
    const step = fc.record({ who: fc.integer({ min: 0, max: 5 }) });
    fc.assert(
      fc.property(distinct, fc.array(step, { maxLength: 60 }), (configs, steps) => {
        // Without time each strategy is a count; the rate is what a window looks at.
        const limits = localLimits(
          configs.map((config) => limitOf({ ...config, requestsPerSecond: config.burst })),
        );
        const clients = [0, 1, 2, 3, 4, 5].map((n) => open(limits, { ip: `${n >> 1}` }));
        const used = new Map<string, number>();
        for (const { who } of steps) {
          const keys = configs.map(({ scope, strategy }) => {
            const whose = scope === 'global' ? '' : scope === 'ip' ? who >> 1 : who;
            return `${scope} ${strategy} ${whose}`;
          });
          const fits = configs.every(({ burst }, index) => (used.get(keys[index]!) ?? 0) < burst);
          expect(clients[who]!.take(1, 0, none) === Verdict.go).toBe(fits);
          if (fits) for (const key of keys) used.set(key, (used.get(key) ?? 0) + 1);
        }
      }),
    );
  });
});
