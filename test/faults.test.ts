import { expect, it } from 'vitest';
import { acceptMux } from '../pool/mux/adapter/accept-mux.ts';
import { connectClient } from './support/client.ts';
import { eventually } from './support/eventually.ts';
import { faultNames } from './support/fault.ts';
import { playFaults } from './support/fault-plan.ts';
import { startFaultProxy, type FaultProxy } from './support/fault-proxy.ts';
import { startGateway, type Gateway } from './support/gateway.ts';
import { startJsonRpcBackend, type JsonRpcBackend } from './support/json-rpc-backend.ts';
import { expectBalanced } from './support/ledger.ts';
import { seededRandom } from './support/random.ts';
import type { RequestBook } from './support/request-book.ts';
import { RequestTalker } from './support/request-talker.ts';
import { startSessionBackend } from './support/session-backend.ts';
import { SessionTalker } from './support/session-talker.ts';

const SECONDS = Number(process.env['WSLUICE_FAULT_SECONDS'] ?? 25);
const SEED = Number(process.env['WSLUICE_TEST_SEED'] ?? Date.now() % 1_000_000);
const REQUEST_BACKENDS = 4;
const SESSION_BACKENDS = 3;
const MUX_BACKENDS = 2;
const REQUEST_TALKERS = 200;
const SESSION_TALKERS = 50;
const MUX_TALKERS = 50;
const REQUEST_TIMEOUT_MS = 2_000;

it(
  'whatever befalls the upstreams, every request ends once, in its own answer or in an error, and nothing is left behind',
  { timeout: (SECONDS + 90) * 1_000 },
  async () => {
    console.log(`faults for ${SECONDS} s, seed ${SEED} (set WSLUICE_FAULT_SECONDS, WSLUICE_TEST_SEED)`);
    const backends = await startAll(REQUEST_BACKENDS, () => startJsonRpcBackend());
    const echoes = await startAll(SESSION_BACKENDS, () => startSessionBackend());
    const muxed = await startAll(MUX_BACKENDS, () => startSessionBackend({ prepare: acceptMux }));
    const proxies = await Promise.all(
      [...backends, ...echoes, ...muxed].map(({ port }) => startFaultProxy(port)),
    );
    const gateway = await startFaultedGateway(proxies);
    const endsAtMs = performance.now() + SECONDS * 1_000;
    const goesOn = (): boolean => performance.now() < endsAtMs;
    const options = (name: string, n: number) => ({
      ...{ name: `${name} ${n}`, port: gateway.port, path: `/${name}`, goesOn },
      random: seededRandom(SEED * 1_000 + n),
    });
    const requests = numbers(REQUEST_TALKERS).map((n) => new RequestTalker(options('requests', n)));
    const sessions = numbers(SESSION_TALKERS).map((n) => new SessionTalker(options('sessions', -n)));
    const streams = numbers(MUX_TALKERS).map((n) => new SessionTalker(options('streams', -1_000 - n)));
    const talkers = [...requests, ...sessions, ...streams];

    const playing = proxies.map((proxy, n) => playFaults(proxy, seededRandom(SEED + n), goesOn));
    await Promise.all(talkers.map((talker) => talker.talk()));
    const played = await Promise.all(playing);

    const books = requests.map(({ book }) => book);
    console.log(
      `faults: ${JSON.stringify({ requests: told(books), sessions: toldOf(sessions), streams: toldOf(streams) })}`,
    );
    for (const name of faultNames)
      expect(
        sumOf(played, (faults) => faults.get(name) ?? 0),
        name,
      ).toBeGreaterThan(0);
    expect(books.flatMap(({ faults }) => faults)).toEqual([]);
    expect([...sessions, ...streams].flatMap(({ faults }) => faults)).toEqual([]);
    expect(gateway.hasExited(), gateway.output().slice(-2_000)).toBe(false);
    expectRepliesAndErrors(books);
    expectEchoes(sessions);
    expectEchoes(streams);
    expectSeenOnce(books, backends);
    await expectLedger(gateway, books);
    await expectNothingLeft(gateway);
    await expectRecovered(gateway);
  },
);

async function startFaultedGateway(proxies: readonly FaultProxy[]): Promise<Gateway> {
  const urls = proxies.map(({ url }) => url);
  const common = {
    outlier: { baseEjectionMs: 500, maxEjectionMs: 2_000, slowStartMs: 1_000 },
    connectTimeoutMs: 1_500,
    reconnect: { baseDelayMs: 50, maxDelayMs: 400 },
    breaker: { failureThreshold: 5, successThreshold: 2, resetTimeoutMs: 500 },
  };
  return startGateway({
    config: {
      heartbeat: { intervalMs: 1_000, timeoutMs: 3_000 },
      routes: ['requests', 'sessions', 'streams'].map((pool) => ({ path: `/${pool}`, pool })),
      pools: {
        requests: {
          ...common,
          mode: 'request',
          upstreams: urls.slice(0, REQUEST_BACKENDS),
          minConnections: REQUEST_BACKENDS,
          maxConnections: 3 * REQUEST_BACKENDS,
          maxInFlightPerConnection: 64,
          requestTimeoutMs: REQUEST_TIMEOUT_MS,
          queue: { maxSize: 500, timeoutMs: 1_000 },
        },
        sessions: {
          ...common,
          mode: 'session',
          upstreams: urls.slice(REQUEST_BACKENDS, -MUX_BACKENDS),
          minConnections: 6,
        },
        streams: {
          ...common,
          mode: 'mux',
          upstreams: urls.slice(-MUX_BACKENDS),
          minConnections: MUX_BACKENDS,
          maxConnections: 2 * MUX_BACKENDS,
        },
      },
    },
  });
}

/** There was load, it was carried, and nobody waited for longer than agreed. */
function expectRepliesAndErrors(books: readonly RequestBook[]): void {
  expect(sum(books, 'replied'), 'replies').toBeGreaterThan(SECONDS * REQUEST_TALKERS * 0.3);
  for (const code of [-32001, -32002])
    expect(
      sumOf(books, ({ errors }) => errors.get(code) ?? 0),
      `errors ${code}`,
    ).toBeGreaterThan(0);
  const longestMs = Math.max(...books.map((book) => book.longestMs));
  expect(longestMs, 'milliseconds to the end of a request').toBeLessThan(REQUEST_TIMEOUT_MS + 3_000);
}

/** Each client that was ended heard why: its upstream was lost, or read too slowly. */
function expectEchoes(talkers: readonly SessionTalker[]): void {
  expect(sum(talkers, 'echoed'), 'echoes').toBeGreaterThan(SECONDS * talkers.length * 0.1);
  const codes = new Set(talkers.flatMap(({ ends }) => [...ends.keys()]));
  expect([...codes].filter((code) => code !== 1012 && code !== 1013)).toEqual([]);
  expect(codes).toContain(1012);
}

/** No backend saw a request twice, and none saw one whose client was told that it was never written. */
function expectSeenOnce(books: readonly RequestBook[], backends: readonly JsonRpcBackend[]): void {
  const marks = backends.flatMap(({ received, malformed }) => {
    expect(malformed).toEqual([]);
    return received.map((text) => (JSON.parse(text) as { params: { mark: string } }).params.mark);
  });
  const seen = new Set<string>();
  expect(
    marks.filter((mark) => seen.size === seen.add(mark).size),
    'seen twice',
  ).toEqual([]);
  const unwritten = books.flatMap(({ neverWritten }) => neverWritten);
  expect(
    unwritten.filter((mark) => seen.has(mark)),
    'seen, and said not to be',
  ).toEqual([]);
}

/** What the gateway counted is what the clients have in their books. */
async function expectLedger(gateway: Gateway, books: readonly RequestBook[]): Promise<void> {
  const ledger = await expectBalanced(gateway);
  const [asked, leftAbruptly] = [sum(books, 'asked'), sum(books, 'leftAbruptly')];
  console.log(`faults: ${JSON.stringify(ledger)}`);
  expect(asked).toBe(
    sum(books, 'replied') + sum(books, 'errored') + sum(books, 'leftInOrder') + leftAbruptly,
  );
  expect(ledger.accepted).toBeLessThanOrEqual(asked);
  expect(ledger.accepted).toBeGreaterThanOrEqual(asked - leftAbruptly);
  expect(ledger.replied).toBeGreaterThanOrEqual(sum(books, 'replied'));
  expect(ledger.errored).toBeGreaterThanOrEqual(sum(books, 'errored'));
  expect(ledger.abandoned).toBeLessThanOrEqual(leftAbruptly + sum(books, 'leftInOrder'));
}

async function expectNothingLeft(gateway: Gateway): Promise<void> {
  await eventually(async () => {
    const page = await gateway.metrics();
    expect(page.sum('websocket_connections_total'), 'clients').toBe(0);
    expect(page.sum('wsluice_pool_waiting'), 'waiting').toBe(0);
    expect(page.sum('wsluice_pool_in_flight'), 'in flight').toBe(0);
    expect(page.sum('websocket_errors_total', { type: 'internal' }), 'bugs').toBe(0);
    for (const state of ['busy', 'draining'])
      expect(page.sum('wsluice_pool_connections', { state }), `${state} upstream connections`).toBe(0);
  });
}

/** All pools serve everybody again. */
async function expectRecovered(gateway: Gateway): Promise<void> {
  await eventually(async () => {
    const clients = await Promise.all(numbers(20).map(() => connectClient(gateway.at('/requests'))));
    const replies = await Promise.all(clients.map((client, id) => client.call(whoami(id), 2_000)));
    expect(replies).toEqual(clients.map((_client, id) => ({ jsonrpc: '2.0', id, result: 'backend' })));
  });
  for (const path of ['/sessions', '/streams'])
    await eventually(async () => {
      const clients = await Promise.all(numbers(20).map(() => connectClient(gateway.at(path))));
      for (const client of clients) client.send('well again');
      for (const client of clients) expect(await client.nextText(2_000)).toBe('well again');
    });
}

function whoami(id: number): object {
  return { jsonrpc: '2.0', id, method: 'whoami' };
}

function told(books: readonly RequestBook[]): object {
  const errors = Object.fromEntries(
    [-32000, -32001, -32002, -32003].map((code) => [
      code,
      sumOf(books, (book) => book.errors.get(code) ?? 0),
    ]),
  );
  return {
    asked: sum(books, 'asked'),
    replied: sum(books, 'replied'),
    errors,
    longestMs: Math.round(Math.max(...books.map(({ longestMs }) => longestMs))),
  };
}

function toldOf(talkers: readonly SessionTalker[]): object {
  const codes = [...new Set(talkers.flatMap(({ ends }) => [...ends.keys()]))];
  const ends = Object.fromEntries(
    codes.map((code) => [code, sumOf(talkers, (talker) => talker.ends.get(code) ?? 0)]),
  );
  return {
    sent: sum(talkers, 'sent'),
    echoed: sum(talkers, 'echoed'),
    ends,
    refused: sum(talkers, 'refused'),
  };
}

function startAll<T>(count: number, start: (n: number) => Promise<T>): Promise<T[]> {
  return Promise.all(numbers(count).map(start));
}

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n + 1);
}

function sum<K extends string>(items: readonly Readonly<Record<K, number>>[], key: K): number {
  return sumOf(items, (item) => item[key]);
}

function sumOf<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}
