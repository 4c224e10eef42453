import { describe, expect, it } from 'vitest';
import { LeastConnections } from './balancers/least-connections.ts';
import { Connector, type ConnectHandlers } from './connector.ts';
import { logTo } from './log.fixture.ts';
import { plainDial } from './dial.ts';
import { Endpoint } from './endpoint.ts';
import { FakeDialer } from './modes/fake-upstream.fixture.ts';

class Setup {
  nowMs = 1_000;
  readonly dialer = new FakeDialer();
  readonly lines: string[] = [];
  readonly events: string[] = [];
  readonly endpoints: Endpoint[];
  readonly connector: Connector;
  readonly handlers: ConnectHandlers = {
    onOpen: (_upstream, endpoint) => this.events.push(`opened ${endpoint.port}`),
    onFailure: (error, endpoint) => this.events.push(`failed ${endpoint.port} ${error.message}`),
  };

  constructor({ endpoints = 2, maxConnections = 3 } = {}) {
    const log = logTo(this.lines);
    this.endpoints = Array.from(
      { length: endpoints },
      (_, n) => new Endpoint({ url: `ws://10.0.0.1:${n + 1}`, trusted: false }),
    );
    this.connector = new Connector({
      pool: 'main',
      endpoints: this.endpoints,
      dialer: this.dialer,
      balancer: new LeastConnections({ random: () => 0.5 }),
      maxConnections,
      reconnect: { baseDelayMs: 100, maxDelayMs: 400, factor: 2, jitter: false },
      now: () => this.nowMs,
      random: () => 0.5,
      log,
    });
  }

  connect(index: number, request = plainDial): () => void {
    return this.connector.connect(this.endpoints[index]!, request, this.handlers);
  }

  open(index: number): void {
    this.connect(index);
    this.dialer.pending[0]!.open();
  }

  fail(index: number, status?: number): void {
    this.connect(index);
    this.dialer.pending[0]!.fail(status);
  }
}

describe('Connector', () => {
  it('counts a connection from the first moment of its dial until it is closed', () => {
    const { connector, dialer, endpoints, ...setup } = new Setup();
    const { handlers, events } = setup;
    connector.connect(endpoints[0]!, plainDial, handlers);
    expect([connector.dialing, connector.total, endpoints[0]!.connections]).toEqual([1, 1, 1]);
    dialer.pending[0]!.open();
    expect([connector.dialing, connector.total]).toEqual([0, 1]);
    connector.closed(endpoints[0]!, true);
    expect(connector.total).toBe(0);
    expect(events).toEqual(['opened 1']);
  });

  it('counts a failed dial no more, and waits ever longer before the next', () => {
    const setup = new Setup();
    const [endpoint] = setup.endpoints;
    const delays = [1, 2, 3, 4].map(() => {
      setup.fail(0);
      return endpoint!.retryAtMs - setup.nowMs;
    });
    expect(delays).toEqual([100, 200, 400, 400]);
    expect(setup.connector.total).toBe(0);
    expect(endpoint!.failures).toBe(4);
    expect(setup.lines).toEqual(['upstream cannot be reached']);
  });

  it('forgets failures at the first success', () => {
    const setup = new Setup();
    setup.fail(0);
    setup.open(0);
    expect(setup.endpoints[0]).toMatchObject({ failures: 0, retryAtMs: 0 });
    setup.connector.watch.tick((setup.nowMs += 1_000));
    expect(setup.lines).toEqual(['upstream cannot be reached', 'upstream is reachable again']);
  });

  it('blames an endpoint for an answer in the 400s only when no client asked for anything', () => {
    const setup = new Setup();
    setup.connect(0, { protocols: ['x'], headers: [], query: '' });
    setup.dialer.pending[0]!.fail(403);
    expect(setup.endpoints[0]!.failures).toBe(0);
    setup.connect(0, { protocols: ['x'], headers: [], query: '' });
    setup.dialer.pending[0]!.fail(503);
    expect(setup.endpoints[0]!.failures).toBe(1);
    setup.fail(0, 403);
    expect(setup.endpoints[0]!.failures).toBe(2);
  });

  it('learns nothing of an endpoint from a request that could not be sent to it', () => {
    const setup = new Setup();
    setup.fail(0);
    const [endpoint] = setup.endpoints;
    const before = { failures: endpoint!.failures, retryAtMs: endpoint!.retryAtMs };
    setup.connect(0, { protocols: ['x'], headers: [], query: '\x7f' });
    setup.dialer.pending[0]!.fail(400, true);
    expect(before.failures).toBe(1);
    expect(endpoint).toMatchObject(before);
  });

  it('gives up a dial once, and calls no handler for it', () => {
    const setup = new Setup();
    const giveUp = setup.connect(0);
    giveUp();
    giveUp();
    expect([setup.connector.dialing, setup.connector.total, setup.dialer.cancelled]).toEqual([0, 0, 1]);
    expect(setup.events).toEqual([]);
  });

  it('does nothing when a dial is given up after it ended', () => {
    const setup = new Setup();
    const giveUp = setup.connect(0);
    setup.dialer.pending[0]!.open();
    giveUp();
    expect([setup.connector.dialing, setup.connector.total, setup.dialer.cancelled]).toEqual([0, 1, 0]);
  });

  it('gives up all dials under way when it closes', () => {
    const setup = new Setup();
    setup.connect(0);
    setup.connect(1);
    setup.connector.close();
    expect([setup.connector.dialing, setup.connector.total, setup.dialer.cancelled]).toEqual([0, 0, 2]);
  });

  it('is at capacity when open connections and dials reach the cap', () => {
    const setup = new Setup({ maxConnections: 2 });
    setup.open(0);
    expect(setup.connector.atCapacity).toBe(false);
    setup.connect(1);
    expect(setup.connector.atCapacity).toBe(true);
  });

  it('knows when every endpoint fails, and the earliest next dial', () => {
    const setup = new Setup();
    setup.fail(0);
    expect(setup.connector.allFailing).toBe(false);
    setup.nowMs += 10;
    setup.fail(1);
    expect(setup.connector.allFailing).toBe(true);
    expect(setup.connector.nextRetryAtMs).toBe(1_100);
    setup.open(1);
    expect(setup.connector.allFailing).toBe(false);
  });

  it('dials again only after a back-off when a connection was lost, at once when it was closed on purpose', () => {
    const setup = new Setup();
    setup.open(0);
    setup.connector.closed(setup.endpoints[0]!, true);
    expect(setup.endpoints[0]!.retryAtMs).toBe(0);
    setup.open(0);
    setup.connector.closed(setup.endpoints[0]!, false);
    expect(setup.endpoints[0]).toMatchObject({ retryAtMs: 1_100, failures: 0 });
  });

  it('picks for a client the least loaded endpoint that works, and a failing one when nothing else is left', () => {
    const setup = new Setup();
    const [first, second] = setup.endpoints as [Endpoint, Endpoint];
    setup.open(0);
    expect(setup.connector.pick(new Set())).toBe(second);
    second.failures = 1;
    expect(setup.connector.pick(new Set())).toBe(first);
    expect(setup.connector.pick(new Set([first]))).toBe(second);
    expect(setup.connector.pick(new Set([first, second]))).toBeUndefined();
  });

  it('picks in the background the endpoint with the fewest connections whose back-off is over', () => {
    const setup = new Setup();
    const [first, second] = setup.endpoints as [Endpoint, Endpoint];
    setup.open(0);
    expect(setup.connector.pickForBackground()).toBe(second);
    second.retryAtMs = setup.nowMs + 1;
    expect(setup.connector.pickForBackground()).toBe(first);
    first.retryAtMs = setup.nowMs + 1;
    expect(setup.connector.pickForBackground()).toBeUndefined();
    setup.nowMs += 1;
    expect(setup.connector.pickForBackground()).toBe(second);
  });

  it('says how many more connections there may be', () => {
    const setup = new Setup({ maxConnections: 3 });
    setup.open(0);
    setup.connect(1);
    expect(setup.connector.room).toBe(1);
    setup.connector.closed(setup.endpoints[0]!, true);
    expect(setup.connector.room).toBe(2);
  });

  it('waits no longer each time for an endpoint that says goodbye now and then', () => {
    const setup = new Setup();
    const { connector, endpoints } = setup;
    const waitAfter = (livedMs: number): number => {
      setup.open(0);
      setup.nowMs += livedMs;
      connector.closed(endpoints[0]!, false, true);
      const waitMs = endpoints[0]!.retryAtMs - setup.nowMs;
      setup.nowMs += 1_000;
      return waitMs;
    };
    expect([101, 101, 101].map(waitAfter)).toEqual([100, 100, 100]);
    expect([50, 50, 50].map(waitAfter)).toEqual([200, 400, 400]);
  });

  it('waits ever longer for an endpoint that loses its connections as soon as they are open', () => {
    const setup = new Setup();
    const [endpoint] = setup.endpoints;
    const lose = (afterMs: number): number => {
      setup.open(0);
      setup.nowMs += afterMs;
      setup.connector.closed(endpoint!, false);
      return endpoint!.retryAtMs - setup.nowMs;
    };
    expect([lose(1), lose(1), lose(1), lose(1)]).toEqual([100, 200, 400, 400]);
    expect(lose(60_000)).toBe(100);
  });
});
