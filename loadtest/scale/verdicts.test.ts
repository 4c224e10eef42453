import { describe, expect, it } from 'vitest';
import { LoadFigures } from './load-figures.ts';
import { verdictsOn } from './verdicts.ts';

interface Seen {
  readonly sent?: number;
  readonly received?: number;
  readonly latencyUs?: number;
  readonly latenessUs?: number;
  readonly lastReplyMs?: number;
  readonly busy?: number;
}

/** Of 100 messages a second for 10 seconds, all well unless said otherwise. */
function load(seen: Seen = {}): LoadFigures {
  const { sent = 1_000, received = 1_000, latencyUs = 5_000, latenessUs = 500 } = seen;
  const figures = new LoadFigures({ ratePerSecond: 100, durationMs: 10_000, members: 1 });
  const counts = {
    ...{ sent, received, bytesSent: 0, bytesReceived: 0, errors: {}, unsent: {} },
    ...{ latency: received > 0 ? [latencyUs, received] : [], lateness: [latenessUs, sent] },
  };
  figures.onSecond(0, { type: 'second', second: 9, counts, owed: 0, busy: seen.busy ?? 0.1 });
  const none = { ...counts, sent: 0, received: 0, latency: [], lateness: [] };
  const { lastReplyMs = 10_004 } = seen;
  figures.onLoaded(0, { type: 'loaded', counts: none, lost: sent - received, orphaned: 0, lastReplyMs });
  return figures;
}

function failed(figures: LoadFigures, p99Ms?: number, changes: object = {}): string[] {
  const connections = { wanted: 10, opened: 10, open: 10, faults: {}, ...changes };
  return verdictsOn(figures, connections, p99Ms)
    .filter(({ passed }) => !passed)
    .map(({ expectation }) => expectation.split(/[ ,]+/).slice(0, 4).join(' '));
}

describe('the verdicts on a load', () => {
  it('are good where all went well', () => {
    expect(failed(load(), 10)).toEqual([]);
  });

  it.each([
    ['a message is lost', load({ received: 999 }), 'every message is answered'],
    ['p99 is what it should stay below', load({ latencyUs: 10_000 }), 'p99 is below 10'],
    ['replies come late', load({ lastReplyMs: 11_000 }), 'at least 99 %'],
    ['loaders are most of the latency', load({ latenessUs: 4_000 }), 'the loaders keep their'],
    ['loaders have no rest', load({ busy: 1 }), 'the loaders keep their'],
  ])('are not when %s', (_what, figures, expectation) => {
    expect(failed(figures, 10)).toEqual([expectation]);
  });

  it('do not blame loaders for the grain of their timers, and do for what 1 % of the time is', () => {
    expect(failed(load({ latencyUs: 600, latenessUs: 1_100 }))).toEqual([]);
    expect(failed(load({ latencyUs: 9e6, latenessUs: 200_000 }))).toEqual(['the loaders keep their']);
  });

  it('tell a connection that is lost from a reply that is wrong', () => {
    const closed = { open: 9, faults: { 'closed by the server: 1008': { count: 1, first: 'x' } } };
    expect(failed(load(), 10, closed)).toEqual(['every connection opens and']);
    const foreign = { open: 9, faults: { 'foreign reply': { count: 1, first: 'x' } } };
    expect(failed(load(), 10, foreign)).toEqual(['every reply is that', 'every connection opens and']);
  });

  it('do not take nothing for an answer', () => {
    expect(failed(load({ sent: 0, received: 0 }), 10)).toEqual([
      ...['every message is answered', 'every reply is that', 'at least 99 %', 'p99 is below 10'],
    ]);
  });
});
