import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LeastConnections } from '../balancers/least-connections.ts';
import { Connector } from '../connector.ts';
import { Endpoint } from '../endpoint.ts';
import { noLog } from '../log.fixture.ts';
import { Fleet } from './fleet.ts';
import type { SharedConnection } from './shared-connection.ts';
import { FakeDialer } from '../modes/fake-upstream.fixture.ts';
import type { UpstreamConnection } from '../upstream.ts';

const slots = 10;
const intervalMs = 1_000;
/** After so many calm intervals connections are closed. */
const calmMs = 13 * intervalMs;

class FakeShared implements SharedConnection {
  draining = false;
  held = false;
  load = 0;
  readonly latencyMs = 0;
  readonly upstream: UpstreamConnection;
  readonly endpoint: Endpoint;

  constructor(upstream: UpstreamConnection, endpoint: Endpoint) {
    this.upstream = upstream;
    this.endpoint = endpoint;
  }

  get available(): boolean {
    return !this.draining && this.load < slots;
  }
}

interface Settings {
  readonly endpoints?: number;
  readonly minConnections?: number;
  readonly maxConnections?: number;
  readonly maxLifetimeMs?: number;
}

/** A fleet whose connections carry ten each and decide once a second; dials end when a test says so. */
class Setup {
  waiting = 0;
  /** Each connection that those who wait were told of. */
  readonly offered: FakeShared[] = [];
  readonly dialer = new FakeDialer();
  readonly endpoints: Endpoint[];
  readonly connector: Connector;
  readonly fleet: Fleet<FakeShared>;

  constructor({ endpoints = 1, minConnections = 0, maxConnections = 10, maxLifetimeMs = 0 }: Settings = {}) {
    let draws = 0;
    const random = (): number => (draws++ % 8) / 8;
    const log = noLog;
    const balancer = new LeastConnections({ random });
    const now = (): number => Date.now();
    this.endpoints = Array.from(
      { length: endpoints },
      (_, n) => new Endpoint({ url: `ws://10.0.0.${n + 1}:9001`, trusted: false }),
    );
    this.connector = new Connector({
      pool: 'main',
      endpoints: this.endpoints,
      dialer: this.dialer,
      balancer,
      maxConnections,
      reconnect: { baseDelayMs: 100, maxDelayMs: 400, factor: 2, jitter: false },
      now,
      random,
      log,
    });
    this.fleet = new Fleet({
      name: 'main',
      connector: this.connector,
      balancer,
      minConnections,
      capacityPerConnection: slots,
      scaling: {
        scaleUpThreshold: 0.7,
        scaleDownThreshold: 0.3,
        scaleIntervalMs: intervalMs,
        maxLifetimeMs,
      },
      now,
      random,
      log,
      share: (upstream, endpoint) => new FakeShared(upstream, endpoint),
      waiting: () => this.waiting,
      onOpened: (connection) => this.offered.push(connection),
      onHopeless: () => undefined,
      onSweep: () => undefined,
    });
    this.fleet.start();
    this.open();
  }

  /** Ends every dial well. */
  open(): void {
    while (this.dialer.pending.length > 0) this.dialer.pending[0]!.open();
  }

  /** Lets time pass, in which each dial takes a moment. */
  pass(ms: number): void {
    for (let passed = 0; passed < ms; passed += 100) {
      vi.advanceTimersByTime(100);
      this.open();
    }
  }

  /** Gives each open connection so much to carry. */
  carry(load: number): void {
    for (const connection of this.fleet.connections) connection.load = load;
  }

  /** Ends what a connection carries. */
  finish(connection: FakeShared): void {
    connection.load = 0;
    this.fleet.closeIfDrained(connection);
  }

  /** As if so many clients had come at once. */
  burst(waiting: number): void {
    this.waiting = waiting;
    for (let n = 0; n < waiting; n++) this.fleet.growFor(n + 1);
    this.open();
    this.waiting = 0;
  }

  get counts(): number[] {
    return this.endpoints.map(
      (endpoint) => this.fleet.connections.filter((one) => one.endpoint === endpoint && !one.draining).length,
    );
  }
}

describe('Upkeep', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: 1_000_000 });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('adds connections when much of the capacity is in use, before anybody has to wait', () => {
    const setup = new Setup({ minConnections: 2 });
    setup.carry(8);
    setup.pass(intervalMs);
    expect(setup.fleet.connections.length).toBe(4);
  });

  it('grows at once while clients wait, and shrinks to the minimum after, idle ones first', () => {
    const setup = new Setup({ minConnections: 2 });
    setup.burst(55);
    expect(setup.fleet.connections.length).toBe(8);
    setup.fleet.connections[0]!.load = 3;
    const busy = setup.fleet.connections[0]!;
    setup.pass(calmMs);
    expect(setup.fleet.connections.length).toBe(2);
    expect(setup.fleet.connections).toContain(busy);
    setup.pass(10 * calmMs);
    expect(setup.fleet.connections.length).toBe(2);
    expect(setup.dialer.opened.length).toBe(8);
  });

  it('closes where most are, and leaves each endpoint one', () => {
    const setup = new Setup({ endpoints: 3 });
    setup.burst(65);
    expect(setup.counts).toEqual([4, 3, 3]);
    setup.carry(1);
    setup.pass(calmMs);
    expect(setup.counts).toEqual([1, 1, 1]);
    // What they carry is finished first.
    expect(setup.fleet.connections.length).toBe(10);
    for (const connection of [...setup.fleet.connections]) setup.finish(connection);
    expect(setup.fleet.connections.length).toBe(3);
    setup.pass(calmMs);
    expect(setup.counts).toEqual([1, 1, 1]);
  });

  it('takes back what was about to close when it is needed again', () => {
    const setup = new Setup({ maxConnections: 4 });
    setup.burst(40);
    setup.carry(1);
    setup.pass(calmMs);
    expect(setup.counts).toEqual([1]);
    const dials = setup.dialer.opened.length;
    setup.offered.length = 0;
    setup.burst(1);
    expect(setup.counts).toEqual([2]);
    expect(setup.offered.length).toBe(1);
    expect(setup.dialer.opened.length).toBe(dials);
  });

  it('never takes back what has to go', () => {
    const setup = new Setup({ maxConnections: 4 });
    setup.burst(40);
    setup.carry(1);
    setup.pass(calmMs);
    for (const connection of [...setup.fleet.connections]) setup.fleet.retire(connection);
    setup.burst(1);
    expect(setup.counts).toEqual([0]);
  });

  it('replaces connections one by one before their lifetime ends, the new one first', () => {
    const lifetimeMs = 100_000;
    const setup = new Setup({ minConnections: 8, maxConnections: 9, maxLifetimeMs: lifetimeMs });
    const first = [...setup.fleet.connections];
    const lefts: number[] = [];
    for (let passed = 0; passed < lifetimeMs + 2_000; passed += 100) {
      const { length } = setup.fleet.connections;
      setup.pass(100);
      expect(setup.fleet.connections.length).toBeGreaterThanOrEqual(8);
      const left = first.filter((one) => setup.fleet.connections.includes(one)).length;
      if (left !== (lefts.at(-1) ?? 8) || length > 8) lefts.push(left);
    }
    expect(new Set(lefts)).toEqual(new Set([7, 6, 5, 4, 3, 2, 1, 0]));
    expect(setup.dialer.opened.length).toBe(16);
  });

  it('keeps an old connection when no other can be had', () => {
    const setup = new Setup({ minConnections: 1, maxLifetimeMs: 10_000 });
    const [old] = setup.fleet.connections;
    for (let passed = 0; passed < 20_000; passed += 100) {
      vi.advanceTimersByTime(100);
      for (const dial of [...setup.dialer.pending]) dial.fail();
    }
    expect(setup.fleet.connections).toEqual([old]);
    expect(old!.draining).toBe(false);
    setup.pass(1_000);
    expect(setup.fleet.connections.length).toBe(1);
    expect(setup.fleet.connections).not.toContain(old);
  });

  it('lets one go first at the cap, where the others can carry the load meanwhile', () => {
    const setup = new Setup({ minConnections: 3, maxConnections: 3, maxLifetimeMs: 10_000 });
    const old = [...setup.fleet.connections];
    setup.carry(6);
    setup.pass(12_000);
    expect(setup.fleet.connections).toEqual(old);
    setup.carry(0);
    setup.pass(2_000);
    expect(setup.fleet.connections.length).toBe(3);
    expect(old.some((one) => setup.fleet.connections.includes(one))).toBe(false);
    const lone = new Setup({ minConnections: 1, maxConnections: 1, maxLifetimeMs: 10_000 });
    const [only] = lone.fleet.connections;
    lone.pass(20_000);
    expect(lone.fleet.connections).toEqual([only]);
  });

  it('moves connections to an endpoint that has fewer', () => {
    const setup = new Setup({ endpoints: 2, minConnections: 6 });
    for (const one of setup.fleet.connections.filter(({ endpoint }) => endpoint === setup.endpoints[1]))
      setup.fleet.retire(one);
    setup.dialer.pending.forEach((dial) => dial.fail());
    setup.burst(35);
    setup.pass(20 * intervalMs);
    const [one = 0, other = 0] = setup.counts;
    expect(Math.abs(one - other)).toBeLessThan(2);
  });
});
