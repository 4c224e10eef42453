import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseDictionary } from '../codec/dictionary.ts';
import { GatewayMetrics } from '../metrics/gateway-metrics.ts';
import type { Lease, NoSeat, Seat, SeatHandlers } from '../pool/client-side.ts';
import type { DialRequest } from '../pool/dial.ts';
import { localLimits } from '../ratelimit/limits.fixture.ts';
import type { Pool } from '../pool/pool.ts';
import { Admission } from './admission.ts';
import { Codecs } from './codecs.ts';
import { ClientAddresses } from './client-address.ts';
import { rejectReasons } from './close-codes.ts';
import { completeConfig } from './config/load.ts';
import type { ConfigInput } from './config/schema.ts';
import type { Seated } from './arrival.ts';
import { Gate } from './gate.ts';
import type { Answer, UpgradeTerms } from './listener.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

class TestSeat implements Seat {
  readonly protocol: string;
  vacated = 0;

  constructor(protocol = 'chosen') {
    this.protocol = protocol;
  }

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
  seat(seats: TestSeat[] = [], protocol?: string): TestSeat {
    const seat = new TestSeat(protocol);
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
  bytes: Uint8Array | undefined;
  seated: Seated | undefined;
  upgradedWith: [key: string, protocol: string, extensions: string] | undefined;
  upgradeHeaders: UpgradeTerms['headers'] = [];
  answers = 0;
  /** The client goes away. */
  goes: () => void = () => undefined;

  upgrade(seated: Seated, { key, protocol, extensions, headers }: UpgradeTerms): boolean {
    this.upgradeHeaders = headers;
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
    this.bytes = typeof body === 'string' ? undefined : new Uint8Array(body);
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

const dictionary = join(import.meta.dirname, '../codec/fixtures/json-rpc.dict');
const handshakeTimeoutMs = 5_000;

/** A gate in front of a pool that answers when the test says so. */
class World {
  readonly acquisitions: Acquisition[] = [];
  readonly admission: Admission;
  readonly metrics = new GatewayMetrics({ errorTypes: [], rejectReasons });
  readonly gate: Gate;
  onAcquire: () => void = () => undefined;

  constructor(listen: ConfigInput['listen'] = {}, codec: ConfigInput['codec'] = {}) {
    const config = completeConfig({ listen: { ...listen, handshakeTimeoutMs }, codec });
    const log = pino({ level: 'silent' });
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
      limits: localLimits(config.rateLimits),
      codecs: new Codecs({ config: config.codec, log, onError: () => undefined }),
      metrics: this.metrics,
      log,
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
    expect(answer.seated).toEqual({
      seat,
      keys: { ip: '203.0.113.9', identity: '203.0.113.9', route: '/ws' },
      codec: undefined,
      requestId: '',
    });
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
    world.gate.closed = true;
    const seat = world.acquisitions[0]!.seat();
    expect([seat.vacated, answer.status, world.admission.total]).toEqual([1, 503, 0]);
    expect(world.rejections()).toEqual({ draining: 1 });
  });

  it('answers 503 to everybody while it drains, and counts nobody in', () => {
    const world = new World();
    world.gate.closed = true;
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
    world.gate.closed = true;
    const answer = world.ask({ path: '/health', headers: { upgrade: '', connection: '' } });
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ status: 'ok' });
  });

  it('seats a client with its codec, says so, and leaves the extensions out that would pack twice', () => {
    const world = new World();
    const answer = world.ask({
      query: 'codec=gzip',
      headers: { 'sec-websocket-extensions': 'permessage-deflate' },
    });
    world.acquisitions[0]!.seat();
    expect(answer.seated?.codec?.name).toBe('gzip');
    expect(answer.upgradedWith).toEqual(['dGhlIHNhbXBsZSBub25jZQ==', 'chosen', '']);
    expect(answer.upgradeHeaders).toEqual([['Wsluice-Codec', 'gzip']]);
  });

  it("answers with the codec's subprotocol only where the upstream chose none", () => {
    const world = new World();
    const offer = { headers: { 'sec-websocket-protocol': 'app, wsluice.gzip' } };
    const [first, second] = [world.ask(offer), world.ask(offer)];
    expect(world.acquisitions[0]!.request.protocols).toEqual(['app']);
    world.acquisitions[0]!.seat([], 'app');
    world.acquisitions[1]!.seat([], '');
    expect([first.upgradedWith?.[1], second.upgradedWith?.[1]]).toEqual(['app', 'wsluice.gzip']);
  });

  it('hands out a dictionary by its id, to web pages only where they may connect', () => {
    const world = new World({ allowedOrigins: ['https://a.example'] }, { zstd: { dictionary } });
    const { id, bytes } = parseDictionary(readFileSync(dictionary));
    const from = (origin: string, changes: Ask = {}): TestAnswer =>
      world.ask({ path: `/dictionary/${id}`, headers: { origin, upgrade: '', connection: '' }, ...changes });
    const answer = from('https://a.example');
    expect([answer.status, answer.bytes]).toEqual([200, new Uint8Array(bytes)]);
    expect(answer.headers).toMatchObject({
      'Content-Type': 'application/octet-stream',
      'Access-Control-Allow-Origin': 'https://a.example',
      Vary: 'Origin',
    });
    expect(from('').headers).not.toHaveProperty('Access-Control-Allow-Origin');
    expect(from('https://b.example').status).toBe(403);
    for (const path of [`/dictionary/${id + 1}`, '/dictionary/', '/dictionary/x', '/dictionary/0'])
      expect([path, from('', { path }).status]).toEqual([path, 404]);
    expect(from('', { method: 'POST' }).status).toBe(405);
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
      client: { path: '/ws', address: '203.0.113.9' },
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
            world.admission.leave(answer.seated.keys.ip);
            left.add(answer);
          }
          if (what === 'time') vi.advanceTimersByTime(ms);
          if (what === 'drain') world.gate.closed = ms % 2 === 0;
          const waiting = [...acquired.values()].filter((one) => one.answers === 0 && !gone.has(one)).length;
          const seated = answers.filter((one) => one.seated !== undefined && !left.has(one)).length;
          expect(world.admission.total).toBe(waiting + seated);
        }
        vi.advanceTimersByTime(handshakeTimeoutMs);
        for (const answer of answers) expect(answer.answers).toBe(gone.has(answer) ? 0 : 1);
        const seated = answers.filter((answer) => answer.seated !== undefined);
        expect(seats.filter(({ vacated }) => vacated === 0)).toHaveLength(seated.length);
        for (const answer of seated) if (!left.has(answer)) world.admission.leave(answer.seated!.keys.ip);
        expect([world.admission.total, vi.getTimerCount()]).toEqual([0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});
