import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { Lease, NoSeat, Seat, SeatHandlers } from '../pool/client-side.ts';
import type { DialRequest } from '../pool/dial.ts';
import type { Pool } from '../pool/pool.ts';
import { Admission } from './admission.ts';
import { Codecs } from './codecs.ts';
import { ClientAddresses } from './client-address.ts';
import { rejectReasons } from './close-codes.ts';
import { completeConfig } from './config/load.ts';
import type { ConfigInput } from './config/schema.ts';
import { Gate, type Seated } from './gate.ts';
import type { Answer, UpgradeTerms } from './listener.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class TestSeat implements Seat {
  readonly protocol = 'chosen';
  vacated = 0;

  attach(): Lease {
    throw new Error('not in this test');
  }

  vacate(): void {
    this.vacated++;
  }
}

/** A client's wait for a seat. */
class Acquisition {
  readonly request: DialRequest;
  givenUp = 0;
  readonly #handlers: SeatHandlers;

  constructor(request: DialRequest, handlers: SeatHandlers) {
    this.request = request;
    this.#handlers = handlers;
  }

  /** Does nothing after it was given up, as a pool's promise is. */
  seat(seats: TestSeat[] = []): TestSeat {
    const seat = new TestSeat();
    seats.push(seat);
    if (this.givenUp === 0) this.#handlers.onSeat(seat);
    return seat;
  }

  refuse(refusal: Partial<NoSeat> = {}): void {
    if (this.givenUp === 0) this.#handlers.onRefused({ status: undefined, retryAfterMs: 0, ...refusal });
  }
}

/** What one client is told. */
class TestAnswer implements Answer<Seated> {
  status: number | undefined;
  headers: Readonly<Record<string, string>> = {};
  body = '';
  seated: Seated | undefined;
  upgradedWith: [key: string, protocol: string, extensions: string] | undefined;
  answers = 0;
  /** The client goes away. */
  goes: () => void = () => undefined;

  upgrade(seated: Seated, { key, protocol, extensions }: UpgradeTerms): boolean {
    this.answers++;
    this.status = 101;
    this.seated = seated;
    this.upgradedWith = [key, protocol, extensions];
    return true;
  }

  end(status: number, headers: readonly (readonly [string, string])[], body: string | Uint8Array): void {
    this.answers++;
    this.status = status;
    this.headers = Object.fromEntries(headers);
    this.body = Buffer.from(body).toString();
  }

  onGone(callback: () => void): void {
    this.goes = callback;
  }
}

interface Ask {
  readonly path?: string;
  readonly query?: string;
  readonly method?: string;
  readonly peer?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

const handshakeTimeoutMs = 5_000;

/** A gate in front of a pool that answers when the test says so. */
class World {
  readonly acquisitions: Acquisition[] = [];
  readonly admission: Admission;
  readonly metrics = new GatewayMetrics({ errorTypes: [], rejectReasons });
  readonly gate: Gate;
  onAcquire: () => void = () => undefined;

  constructor(listen: ConfigInput['listen'] = {}) {
    const config = completeConfig({ listen: { ...listen, handshakeTimeoutMs } });
    this.admission = new Admission(config.listen);
    const pool = {
      acquire: (request: DialRequest, handlers: SeatHandlers) => {
        const acquisition = new Acquisition(request, handlers);
        this.acquisitions.push(acquisition);
        this.onAcquire();
        return () => acquisition.givenUp++;
      },
    } as unknown as Pool;
    this.gate = new Gate({
      config,
      pools: new Map([['main', pool]]),
      admission: this.admission,
      addresses: new ClientAddresses(config.listen.trustedProxies),
      codecs: new Codecs({ config: config.codec, onError: () => undefined }),
      metrics: this.metrics,
      log: pino({ level: 'silent' }),
    });
  }

  ask({
    path = '/ws',
    query = '',
    method = 'GET',
    peer = '203.0.113.9',
    headers = {},
  }: Ask = {}): TestAnswer {
    const all: Record<string, string> = {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...headers,
    };
    const answer = new TestAnswer();
    this.gate.onRequest({ method, path, query, header: (name) => all[name] ?? '' }, peer, answer);
    return answer;
  }

  rejections(): Record<string, number> {
    const counted = this.metrics.rejectCounts().filter(({ count }) => count > 0);
    return Object.fromEntries(counted.map(({ label, count }) => [label, count]));
  }
}

describe('the gate', () => {
  it('upgrades a client when there is a seat, with the protocol of the seat, and keeps it counted', () => {
    const world = new World();
    const answer = world.ask({ headers: { 'sec-websocket-extensions': 'x' } });
    expect([answer.answers, world.admission.total]).toEqual([0, 1]);
    const seat = world.acquisitions[0]!.seat();
    expect(answer.seated).toEqual({ seat, addressKey: '203.0.113.9' });
    expect(answer.upgradedWith).toEqual(['dGhlIHNhbXBsZSBub25jZQ==', 'chosen', 'x']);
    expect([world.admission.total, world.rejections()]).toEqual([1, {}]);
    vi.advanceTimersByTime(2 * handshakeTimeoutMs);
    expect([answer.answers, vi.getTimerCount()]).toEqual([1, 0]);
  });

  it('gives the dial up when the client goes away, and counts it out once', () => {
    const world = new World();
    const answer = world.ask();
    answer.goes();
    answer.goes();
    expect([world.acquisitions[0]!.givenUp, world.admission.total]).toEqual([1, 0]);
    vi.advanceTimersByTime(2 * handshakeTimeoutMs);
    expect([world.acquisitions[0]!.givenUp, answer.answers, vi.getTimerCount()]).toEqual([1, 0, 0]);
  });

  it('answers 503 with Retry-After at the deadline, gives the dial up, and counts the client out once', () => {
    const world = new World();
    const answer = world.ask();
    vi.advanceTimersByTime(handshakeTimeoutMs - 1);
    expect(answer.answers).toBe(0);
    vi.advanceTimersByTime(1);
    expect([answer.status, answer.headers['Retry-After']]).toEqual([
      503,
      expect.stringMatching(/^[1-9]\d*$/),
    ]);
    answer.goes();
    expect([world.acquisitions[0]!.givenUp, world.admission.total]).toEqual([1, 0]);
    expect(world.rejections()).toEqual({ deadline: 1 });
  });

  it('answers 503 to who was being dialled for when a drain began, and vacates the seat', () => {
    const world = new World();
    const answer = world.ask();
    world.gate.draining = true;
    const seat = world.acquisitions[0]!.seat();
    expect([seat.vacated, answer.status, world.admission.total]).toEqual([1, 503, 0]);
    expect(world.rejections()).toEqual({ draining: 1 });
  });

  it('answers 503 to everybody while it drains, and counts nobody in', () => {
    const world = new World();
    world.gate.draining = true;
    const answer = world.ask();
    expect([answer.status, world.acquisitions.length, world.admission.total]).toEqual([503, 0, 0]);
    expect(answer.headers['Retry-After']).toBeDefined();
  });

  it.each([400, 401, 403, 404, 429])("passes the upstream's own %i on", (status) => {
    const world = new World();
    const answer = world.ask();
    world.acquisitions[0]!.refuse({ status });
    expect([answer.status, world.admission.total]).toEqual([status, 0]);
    expect(world.rejections()).toEqual({ 'upstream-refused': 1 });
  });

  it.each([undefined, 200, 302, 500, 502, 503])(
    'answers 503 with Retry-After when the upstream answers with %s',
    (status) => {
      const world = new World();
      const answer = world.ask();
      world.acquisitions[0]!.refuse({ status, retryAfterMs: 1_200 });
      expect([answer.status, answer.headers['Retry-After']]).toEqual([503, '2']);
      expect([world.admission.total, world.rejections()]).toEqual([0, { 'no-upstream': 1 }]);
    },
  );

  it('never asks for a return in zero seconds', () => {
    const world = new World();
    const answer = world.ask();
    world.acquisitions[0]!.refuse({ retryAfterMs: 0 });
    expect(answer.headers['Retry-After']).toBe('1');
  });

  it('counts nobody in whom it turns away by itself', () => {
    const world = new World({ allowedOrigins: ['https://a.example'] });
    const refused: [Ask, number, string][] = [
      [{ path: '/nope' }, 404, 'path'],
      [{ path: '/ws/' }, 404, 'path'],
      [{ path: '/WS' }, 404, 'path'],
      [{ path: '/__proto__' }, 404, 'path'],
      [{ method: 'POST' }, 400, 'handshake'],
      [{ headers: { 'sec-websocket-key': 'x' } }, 400, 'handshake'],
      [{ headers: { 'sec-websocket-version': '8' } }, 426, 'version'],
      [{ query: 'codec=lzma' }, 400, 'codec'],
      [{ headers: { origin: 'https://b.example' } }, 403, 'origin'],
    ];
    for (const [ask, status, reason] of refused) {
      const before = world.rejections()[reason] ?? 0;
      const answer = world.ask(ask);
      expect([ask, answer.status]).toEqual([ask, status]);
      expect(world.rejections()[reason]).toBe(before + 1);
    }
    expect([world.acquisitions.length, world.admission.total, vi.getTimerCount()]).toEqual([0, 0, 0]);
  });

  it('answers GET /health with 200 and JSON, also while it drains', () => {
    const world = new World();
    world.gate.draining = true;
    const answer = world.ask({ path: '/health', headers: { upgrade: '', connection: '' } });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok' });
  });

  it('caps clients by the address that a trusted proxy names, and by none that a stranger names', () => {
    const world = new World({ maxConnectionsPerIp: 1, trustedProxies: ['127.0.0.1/32'] });
    const from = (peer: string, claim: string): number | undefined =>
      world.ask({ peer, headers: { 'x-forwarded-for': claim } }).status;
    expect(from('127.0.0.1', '198.51.100.1')).toBeUndefined();
    expect(from('127.0.0.1', '198.51.100.2')).toBeUndefined();
    expect(from('127.0.0.1', '6.6.6.6, 198.51.100.2')).toBe(429);
    expect(from('203.0.113.9', '198.51.100.3')).toBeUndefined();
    expect(from('203.0.113.9', '198.51.100.4')).toBe(429);
    expect(from('0000:0000:0000:0000:0000:ffff:7f00:0001', '198.51.100.1')).toBe(429);
    expect(from('2001:db8::1', '')).toBeUndefined();
    expect(from('2001:db8::2', '')).toBe(429);
  });

  it('asks the upstream for what the client brought', () => {
    const world = new World();
    const headers = {
      authorization: 'Bearer t',
      'sec-websocket-protocol': 'a',
      'x-forwarded-for': '6.6.6.6',
    };
    world.ask({ query: 'room=1', headers });
    expect(world.acquisitions[0]!.request).toEqual({
      protocols: ['a'],
      headers: [
        ['authorization', 'Bearer t'],
        ['x-forwarded-for', '203.0.113.9'],
      ],
      query: 'room=1',
    });
  });

  it('leaves nobody counted and nothing to go off later when a pool throws, which is a bug', () => {
    const world = new World();
    world.onAcquire = () => {
      throw new Error('bug: a pool that throws');
    };
    expect(() => world.ask()).toThrow('bug: a pool that throws');
    expect(world.admission.total).toBe(0);
    expect(() => vi.advanceTimersByTime(2 * handshakeTimeoutMs)).not.toThrow();
  });

  it('vacates the seat and counts the client out when the upgrade itself throws, which is a bug', () => {
    const world = new World();
    const answer = world.ask();
    answer.upgrade = () => {
      throw new Error('bug: an upgrade that throws');
    };
    const seats: TestSeat[] = [];
    expect(() => world.acquisitions[0]!.seat(seats)).toThrow('bug: an upgrade that throws');
    expect([world.admission.total, seats[0]!.vacated]).toEqual([0, 1]);
  });

  it('answers each client once and counts it out once, whatever happens in which order', () => {
    const what = fc.constantFrom('ask', 'seat', 'refuse', 'goes', 'leaves', 'time', 'drain');
    const step = fc.record({ what, who: fc.nat(5), ms: fc.nat(4_000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World({ maxConnections: 4 });
        const answers: TestAnswer[] = [];
        const gone = new Set<TestAnswer>();
        const left = new Set<TestAnswer>();
        const seats: TestSeat[] = [];
        const acquired = new Map<Acquisition, TestAnswer>();
        for (const { what, who, ms } of steps) {
          const acquisition = world.acquisitions[who % (world.acquisitions.length || 1)];
          const answer = acquisition && acquired.get(acquisition)!;
          const waits = answer !== undefined && answer.answers === 0 && !gone.has(answer);
          if (what === 'ask') {
            const before = world.acquisitions.length;
            const asked = world.ask();
            answers.push(asked);
            if (world.acquisitions.length > before) acquired.set(world.acquisitions[before]!, asked);
          }
          if (what === 'seat' && waits) seats.push(acquisition!.seat());
          if (what === 'refuse' && waits) acquisition!.refuse({ status: ms });
          if (what === 'goes' && waits) {
            answer.goes();
            gone.add(answer);
          }
          if (what === 'leaves' && answer?.seated !== undefined && !left.has(answer)) {
            world.admission.leave(answer.seated.addressKey);
            left.add(answer);
          }
          if (what === 'time') vi.advanceTimersByTime(ms);
          if (what === 'drain') world.gate.draining = ms % 2 === 0;
          const waiting = [...acquired.values()].filter((one) => one.answers === 0 && !gone.has(one)).length;
          const seated = answers.filter((one) => one.seated !== undefined && !left.has(one)).length;
          expect(world.admission.total).toBe(waiting + seated);
        }
        vi.advanceTimersByTime(handshakeTimeoutMs);
        for (const answer of answers) expect(answer.answers).toBe(gone.has(answer) ? 0 : 1);
        const seated = answers.filter((answer) => answer.seated !== undefined);
        expect(seats.filter(({ vacated }) => vacated === 0)).toHaveLength(seated.length);
        for (const answer of seated) if (!left.has(answer)) world.admission.leave(answer.seated!.addressKey);
        expect([world.admission.total, vi.getTimerCount()]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});
