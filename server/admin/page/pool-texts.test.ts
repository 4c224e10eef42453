import { expect, it } from 'vitest';
import type { PoolReport, UpstreamReport } from '../pools-control.ts';
import { failureText, poolStanding, questionOf, upstreamStanding } from './pool-texts.ts';

const up: UpstreamReport = {
  ...{ pool: 'main', upstream: 'ws://10.0.0.1:9001/', connections: 1, inFlight: 0, reachable: true },
  ...{ breaker: 'closed', ejected: false, retryInMs: 0, removed: false, state: 'up', stateAgeMs: 61_000 },
  ...{ state: 'up', stateAgeMs: 61_000, lastFailure: null },
};
const pool: PoolReport = {
  ...{ name: 'main', mode: 'request', balance: 'random', embedded: false, paused: false, healthy: true },
  ...{ clients: 3, minConnections: 1, maxConnections: 8, replacing: 0, inFlight: 1, waiting: 2 },
  connections: { dialing: 0, idle: 1, busy: 1, draining: 0 },
  totals: { accepted: 0, replied: 0, errored: 0, abandoned: 0, upstreamsLost: 0, retries: 0 },
  upstreams: [up],
};

it.each([
  [{}, 'good', 'up for 1 min · breaker closed'],
  [{ state: 'untried' }, 'quiet', 'not tried yet · breaker closed'],
  [
    { state: 'breaker-open', breaker: 'open', retryInMs: 4_001 },
    'bad',
    'breaker open for 1 min, again in 5 s',
  ],
  [{ state: 'half-open', breaker: 'half-open' }, 'warn', 'breaker half-open for 1 min'],
  [{ state: 'down', breaker: 'open', retryInMs: 900 }, 'bad', 'down for 1 min · breaker open, again in 1 s'],
  [{ state: 'ejected' }, 'warn', 'ejected for 1 min · breaker closed'],
  [{ state: 'paused' }, 'warn', 'paused for 1 min · breaker closed'],
  [{ state: 'removed' }, 'quiet', 'removed, emptying for 1 min · breaker closed'],
] as const)('says of an upstream that is %o: %s, %s', (changes, mood, text) => {
  expect(upstreamStanding({ ...up, ...changes })).toEqual({ mood, text });
});

it('says what went wrong with an upstream, if that still matters', () => {
  const dial = { kind: 'dial', detail: 'connect ECONNREFUSED 10.0.0.1:9001', agoMs: 3_000 } as const;
  expect(failureText(up)).toBe('');
  expect(failureText({ ...up, state: 'down', lastFailure: dial })).toBe(`${dial.detail}, 3 s ago`);
  const lost = { kind: 'lost', detail: '', agoMs: 240_000 } as const;
  expect(failureText({ ...up, lastFailure: lost })).toBe('a connection was lost, 4 min ago');
  expect(failureText({ ...up, lastFailure: { ...lost, agoMs: 400_000 } })).toBe('');
});

it.each([
  [{}, 'running'],
  [{ paused: true, healthy: false }, 'paused'],
  [{ healthy: false }, 'no upstream in reach'],
  [{ embedded: true }, 'embedded backend'],
])('says of a pool that is %o: %s', (changes, text) => {
  expect(poolStanding({ ...pool, ...changes }).text).toBe(text);
});

it('says before a pause what it does in each mode', () => {
  const points = (mode: string): string => questionOf('pause', { ...pool, mode }).points.join('\n');
  expect(points('request')).toContain('3 clients stay connected. 1 answer under way still arrives.');
  expect(points('session')).toContain('The sessions of 3 clients go on.');
  expect(points('mux')).toContain('What clients say is held');
});

it('says before a resume what waits, and before a reconnect what is replaced', () => {
  expect(questionOf('resume', pool).points[0]).toBe('2 that wait now are sent, in their order.');
  expect(questionOf('reconnect', pool).points[0]).toBe(
    'All 2 upstream connections are replaced by new ones.',
  );
  expect(questionOf('reconnect', { ...pool, mode: 'session' }).points[0]).toBe(
    '1 connection waiting for a client is replaced by a new one.',
  );
  expect(questionOf('reconnect', { ...pool, paused: true }).points[0]).toContain('are closed');
});
