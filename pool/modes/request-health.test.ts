import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BreakerState } from '../health/breaker.ts';
import { createBalancer, type BalancerName } from '../balancers/create-balancer.ts';
import type { ClientSide } from '../client-side.ts';
import { Connector } from '../connector.ts';
import { Endpoint } from '../endpoint.ts';
import { logTo } from '../log.fixture.ts';
import { methodTable } from '../jsonrpc/method-table.ts';
import { noObserver } from '../observer.fixture.ts';
import { closePayload, frame } from '../wire/frames.fixture.ts';
import { Opcode } from '../wire/opcode.ts';
import { checkCall } from './check-call.ts';
import { FakeDialer, type FakeConnection } from './fake-upstream.fixture.ts';
import { RequestMode } from './request.ts';

const breaker = { failureThreshold: 3, successThreshold: 2, resetTimeoutMs: 1_000 };
const outlier = {
  consecutiveFailures: 5,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectedShare: 0.5,
  errorCodes: [-32603],
  slowStartMs: 10_000,
};
const requestTimeoutMs = 400;

/** Request mode over back ends in the hands of the test. */
class Setup {
  readonly dialer = new FakeDialer();
  readonly lines: string[] = [];
  readonly mode: RequestMode;
  readonly endpoints: Endpoint[];
  readonly codes: (number | undefined)[] = [];

  constructor(
    endpoints = 1,
    balance: BalancerName = 'round-robin',
    {
      healthCheckIntervalMs = 0,
      healthCall = undefined as Uint8Array | undefined,
      maxInFlightPerConnection = 16,
    } = {},
  ) {
    const log = logTo(this.lines);
    this.endpoints = Array.from(
      { length: endpoints },
      (_, n) => new Endpoint({ url: `ws://10.0.0.1:${n + 1}`, trusted: true, breaker, slowStartMs: 10_000 }),
    );
    const shared = { now: () => Date.now(), log };
    const balancer = createBalancer(balance, { random: () => 0.4 });
    const connector = new Connector({
      ...shared,
      pool: 'main',
      endpoints: this.endpoints,
      dialer: this.dialer,
      balancer,
      maxConnections: 8,
      reconnect: { baseDelayMs: 100, maxDelayMs: 100, factor: 1, jitter: false },
      outlier,
      healthCheck: { intervalMs: healthCheckIntervalMs, timeoutMs: 200 },
      byLatency: balance === 'peak-ewma',
      random: () => 0,
    });
    this.mode = new RequestMode({
      ...shared,
      random: () => 0.5,
      scaling: { scaleUpThreshold: 1, scaleDownThreshold: 0, scaleIntervalMs: 3_600_000, maxLifetimeMs: 0 },
      connector,
      balancer,
      limits: {
        minConnections: 1,
        maxInFlightPerConnection,
        maxInFlightPerClient: 10,
        maxBatchSize: 3,
        maxBatchReplyBytes: 1_000,
        requestTimeoutMs,
        queue: {
          maxSize: 100,
          maxBytes: 10_000,
          maxBytesPerClient: 10_000,
          timeoutMs: 5_000,
          priority: { high: 3, medium: 2, low: 1 },
        },
        maxRetries: 0,
        retryBudgetRatio: 0.1,
        retryBackoffMs: 0,
        healthCall,
        faultCodes: new Set(outlier.errorCodes),
        methods: methodTable({ stateful: [], idempotent: [] }),
        idCeiling: 2 ** 52,
      },
      observer: noObserver,
      name: 'main',
    });
  }

  /** One request of a new client; its outcome goes into `codes`. */
  ask(): void {
    const onAnswer = (bytes: Uint8Array): void => {
      const answer = JSON.parse(Buffer.from(bytes).toString()) as { error?: { code: number } };
      this.codes.push(answer.error?.code);
    };
    const client = {
      isLimited: false,
      charge: () => 0,
      chargeBatch: () => [],
      send: onAnswer,
      deliverSpliced: () => this.codes.push(undefined),
    };
    const lease = this.mode.lease(client as unknown as ClientSide);
    lease.send(Buffer.from('{"jsonrpc":"2.0","id":1,"method":"m"}'), false);
  }

  openAll(): FakeConnection[] {
    return [...this.dialer.pending].map((dial) => dial.open());
  }
}

const pass = (ms: number): void => {
  vi.advanceTimersByTime(ms);
};

/** Answers what was asked and not yet answered. */
function answer(connection: FakeConnection, outcome: object = { result: 1 }): number {
  pass(0);
  const asked = connection.texts.slice(answered.get(connection) ?? 0);
  answered.set(connection, connection.texts.length);
  for (const text of asked) {
    const { id } = JSON.parse(text) as { id: number };
    connection.say(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
  }
  return asked.length;
}
const answered = new WeakMap<FakeConnection, number>();

const fault = { error: { code: -32603, message: 'Internal error' } };

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
});

afterEach(() => {
  vi.clearAllTimers();
  vi.useRealTimers();
});

describe('the breaker in request mode', () => {
  it('opens when requests time out, and then answers at once, what waits too', () => {
    const setup = new Setup();
    setup.openAll();
    for (let n = 0; n < 40; n++) setup.ask();
    pass(requestTimeoutMs + 100);
    expect(setup.endpoints[0]!.breaker.state).toBe(BreakerState.open);
    expect(setup.codes.length).toBe(40);
    setup.codes.length = 0;
    setup.ask();
    expect(setup.codes).toEqual([-32000]);
    expect(setup.lines.filter((line) => line.startsWith('breaker'))).toEqual([
      'breaker opened: nothing goes to this upstream',
    ]);
  });

  it('opens when an upstream is silent that requests have to wait for', () => {
    const setup = new Setup(1, 'round-robin', { maxInFlightPerConnection: 1 });
    setup.openAll();
    for (let n = 0; n < 8; n++) {
      setup.ask();
      pass(100);
    }
    expect(setup.endpoints[0]!.breaker.state).toBe(BreakerState.open);
  });

  it('is not opened by what was sent shortly before its time was over', () => {
    const setup = new Setup();
    const [connection] = setup.openAll();
    setup.ask();
    answer(connection!);
    setup.mode.pause();
    for (let n = 0; n < 5; n++) setup.ask();
    pass(300);
    setup.mode.resume();
    pass(200);
    expect(setup.codes).toEqual([undefined, -32001, -32001, -32001, -32001, -32001]);
    expect(setup.endpoints[0]!.breaker.state).toBe(BreakerState.closed);
  });

  it('sends another probe when the first had too little time left for an answer', () => {
    const setup = new Setup(2, 'round-robin', { maxInFlightPerConnection: 1 });
    const connections = setup.openAll();
    const { breaker } = setup.endpoints[1]!;
    for (let n = 0; n < 3; n++) breaker.lost(Date.now());
    pass(700);
    for (let n = 0; n < 2; n++) setup.ask();
    pass(500);
    expect(setup.codes).toEqual([-32001, -32001]);
    expect(connections[1]!.texts.length).toBe(1);
    expect(breaker.state).toBe(BreakerState.halfOpen);
    expect(breaker.admits).toBe(true);
  });

  it('sends one probe at a time when its time has come, and closes after enough of them', () => {
    const setup = new Setup();
    const [connection] = setup.openAll();
    for (let n = 0; n < 3; n++) setup.ask();
    pass(requestTimeoutMs + 100);
    setup.codes.length = 0;
    pass(1_100);
    answer(connection!);
    for (let n = 0; n < 5; n++) setup.ask();
    expect(answer(connection!)).toBe(1);
    // The first is answered; those that came while it was out were refused.
    expect(setup.codes).toEqual([-32000, -32000, -32000, -32000, undefined]);
    for (let n = 0; n < 5; n++) setup.ask();
    expect(answer(connection!)).toBe(1);
    expect(setup.endpoints[0]!.breaker.state).toBe(BreakerState.closed);
    answer(connection!);
    expect(setup.codes.slice(5)).toEqual([undefined, undefined, undefined, undefined, undefined]);
  });

  it('dials nothing while open, and once when its time has come', () => {
    const setup = new Setup();
    for (let n = 0; n < 3; n++) {
      setup.dialer.pending[0]!.fail();
      pass(100);
    }
    expect(setup.endpoints[0]!.breaker.state).toBe(BreakerState.open);
    const before = setup.endpoints[0]!.dials;
    pass(800);
    setup.ask();
    expect(setup.endpoints[0]!.dials).toBe(before);
    pass(200);
    for (let n = 0; n < 9; n++) setup.ask();
    pass(300);
    expect(setup.endpoints[0]!.dials).toBe(before + 1);
    expect(setup.dialer.pending.length).toBe(1);
    expect(setup.codes).toEqual(Array(10).fill(-32000));
    setup.dialer.pending[0]!.fail();
    pass(900);
    expect(setup.endpoints[0]!.dials).toBe(before + 1);
  });

  it('counts lost connections, and none that ended with a goodbye', () => {
    for (const [code, state] of [
      [1001, BreakerState.closed],
      [1011, BreakerState.open],
    ] as const) {
      const setup = new Setup();
      for (let n = 0; n < 5; n++) {
        const [connection] = setup.openAll();
        connection?.feed(frame({ opcode: Opcode.Close, payload: closePayload(code, '') }));
        pass(110);
      }
      expect(setup.endpoints[0]!.breaker.state).toBe(state);
    }
  });

  it('is content with any answer, an error too', () => {
    const setup = new Setup();
    const [connection] = setup.openAll();
    for (let n = 0; n < 20; n++) {
      setup.ask();
      answer(connection!, fault);
    }
    expect(setup.endpoints[0]!.breaker.state).toBe(BreakerState.closed);
    expect(setup.endpoints[0]!.standing.ejected).toBe(false);
  });
});

describe('outliers in request mode', () => {
  it('get nothing more after five failures, until their time is over', () => {
    const setup = new Setup(4);
    const connections = setup.openAll();
    const counts = [0, 0, 0, 0];
    for (let n = 0; n < 400; n++) {
      setup.ask();
      connections.forEach((connection, index) => {
        counts[index]! += answer(connection, index === 1 ? fault : undefined);
      });
    }
    expect(counts[1]).toBe(5);
    expect(setup.lines.filter((line) => line.includes('ejected')).length).toBe(1);
    pass(30_100);
    for (let n = 0; n < 8; n++) setup.ask();
    expect(answer(connections[1]!)).toBe(2);
  });

  it('are what all of them are when all are bad: everything still goes somewhere', () => {
    const setup = new Setup(4);
    const connections = setup.openAll();
    for (let n = 0; n < 100; n++) {
      setup.ask();
      for (const connection of connections) answer(connection, fault);
    }
    expect(setup.codes.length).toBe(100);
    expect(setup.endpoints.filter(({ standing }) => standing.ejected).length).toBeLessThanOrEqual(2);
  });
});

describe('health checks in request mode', () => {
  const withCall = { healthCheckIntervalMs: 1_000, healthCall: checkCall('health', { deep: true }) };

  it('call the upstream in a slot of their own, and are in no ledger', () => {
    const setup = new Setup(1, 'round-robin', withCall);
    const [connection] = setup.openAll();
    for (let n = 0; n < 16; n++) setup.ask();
    pass(300);
    expect(connection!.texts.length).toBe(17);
    expect(connection!.texts[16]).toMatch(
      /^{"jsonrpc":"2\.0","id":\d+,"method":"health","params":{"deep":true}}$/,
    );
    answer(connection!);
    pass(2_300);
    expect(answer(connection!)).toBe(2);
    expect(setup.mode.counts).toMatchObject({ accepted: 16, replied: 16, errored: 0, abandoned: 0 });
    expect(setup.mode.inFlight).toBe(0);
  });

  it('find a silent upstream without any client, and let it prove itself again', () => {
    const setup = new Setup(1, 'round-robin', withCall);
    const [connection] = setup.openAll();
    pass(4_500);
    expect(setup.lines).toContain('breaker opened: nothing goes to this upstream');
    for (let n = 0; n < 60; n++) {
      answer(connection!);
      pass(100);
    }
    expect(setup.endpoints[0]!.breaker.state).toBe(BreakerState.closed);
    expect(setup.mode.counts.accepted).toBe(0);
  });

  it('do not bring an ejected one back before its time, by whatever answer', () => {
    for (const healthCall of [withCall.healthCall, undefined]) {
      const setup = new Setup(2, 'round-robin', { ...withCall, healthCall });
      const connections = setup.openAll();
      for (let n = 0; n < 5; n++) setup.endpoints[0]!.answered(Date.now(), Date.now(), true);
      for (let n = 0; n < 100; n++) {
        for (const connection of connections) {
          answer(connection);
          connection.say('', Opcode.Pong);
        }
        pass(100);
      }
      expect(setup.endpoints[0]!.standing.ejected).toBe(true);
    }
  });

  it('are pings without a call to make, which a silent upstream fails', () => {
    const setup = new Setup(1, 'round-robin', { healthCheckIntervalMs: 1_000 });
    const [connection] = setup.openAll();
    for (let n = 0; n < 5; n++) {
      pass(1_000);
      connection!.say('', Opcode.Pong);
    }
    const pings = (): number => connection!.frames.filter(({ opcode }) => opcode === Opcode.Ping).length;
    expect(pings()).toBeGreaterThan(3);
    pass(5_000);
    expect(setup.lines).toContain('breaker opened: nothing goes to this upstream');
  });
});

describe('peak-ewma in request mode', () => {
  it('lets a burst wait until it is known who answers', () => {
    const setup = new Setup(3, 'peak-ewma');
    const [silent, ...good] = setup.openAll();
    for (let n = 0; n < 30; n++) setup.ask();
    for (let round = 0; round < 5; round++) for (const connection of good) answer(connection);
    expect(setup.codes.length).toBe(29);
    expect(answer(silent!)).toBe(1);
  });

  it('sees a black hole before anything there has timed out', () => {
    const setup = new Setup(3, 'peak-ewma');
    const connections = setup.openAll();
    for (let n = 0; n < 30; n++) {
      setup.ask();
      pass(1);
      for (const connection of connections) answer(connection);
    }
    const [silent, ...good] = connections;
    const before = silent!.texts.length;
    for (let n = 0; n < 300; n++) {
      setup.ask();
      pass(1);
      for (const connection of good) answer(connection);
    }
    expect(silent!.texts.length - before).toBeLessThan(5);
  });
});
