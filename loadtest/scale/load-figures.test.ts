import { describe, expect, it } from 'vitest';
import { LoadFigures, type SecondFigures } from './load-figures.ts';
import type { LoadCounts } from './messages.ts';

function counts(sent: number, received: number, us = 1_000): LoadCounts {
  return {
    ...{ sent, received, bytesSent: sent * 80, bytesReceived: received * 60, errors: {}, unsent: {} },
    latency: received > 0 ? [us, received] : [],
    lateness: [100, Math.max(1, sent)],
  };
}

function figures(durationMs = 2_000): { figures: LoadFigures; told: SecondFigures[] } {
  const told: SecondFigures[] = [];
  const options = { ratePerSecond: 100, durationMs, members: 2 };
  return { told, figures: new LoadFigures({ ...options, onSecond: (second) => told.push(second) }) };
}

const second = (number: number, sent: number, received: number, owed = 0) =>
  ({ type: 'second', second: number, counts: counts(sent, received), owed, busy: 0.2 }) as const;
const loaded = (sent: number, received: number, lastReplyMs = 2_010) =>
  ({ type: 'loaded', counts: counts(sent, received), lost: 0, orphaned: 0, lastReplyMs }) as const;

describe('the figures of a load', () => {
  it('tell of a second once all loaders have', () => {
    const { figures: load, told } = figures();
    load.onSecond(0, second(0, 50, 40, 10));
    expect(told).toEqual([]);
    load.onSecond(1, second(0, 50, 50));
    expect(told).toMatchObject([{ at: 1, sent: 100, received: 90, failed: 0, owed: 10 }]);
    expect(told[0]!.latency.count).toBe(90);
  });

  it('count what trickles in after the end in the last second', () => {
    const { figures: load, told } = figures();
    for (const member of [0, 1]) load.onSecond(member, second(0, 50, 48));
    load.onSecond(0, second(1, 50, 50));
    load.onLoaded(1, loaded(50, 52));
    expect(told).toHaveLength(1);
    load.onLoaded(0, loaded(0, 2));
    expect(told.map(({ at, sent, received }) => [at, sent, received])).toEqual([
      [1, 100, 96],
      [2, 100, 104],
    ]);
    expect([load.due, load.received, load.failed]).toEqual([200, 200, 0]);
    expect(load.repliesPerSecond).toBe(100);
  });

  it('have a slower rate where replies came long after the end', () => {
    const { figures: load } = figures();
    load.onLoaded(0, loaded(100, 100, 4_100));
    load.onLoaded(1, loaded(100, 100, 3_000));
    expect(load.repliesPerSecond).toBe(50);
  });

  it('tell of all seconds of a load that is shorter than one', () => {
    const { figures: load, told } = figures(500);
    for (const member of [0, 1]) load.onLoaded(member, loaded(25, 25, 490));
    expect(told).toMatchObject([{ at: 0.5, sent: 50, received: 50 }]);
  });

  it('account for what failed', () => {
    const { figures: load } = figures();
    const wrong = {
      errors: { 'error reply -32003': { count: 3, first: 'x' } },
      unsent: { 'connection gone': { count: 2, first: 'y' } },
    };
    const end = { ...loaded(0, 0), counts: { ...counts(20, 10), ...wrong }, lost: 4, orphaned: 3 };
    load.onLoaded(0, end);
    load.onLoaded(1, loaded(0, 0));
    expect([load.due, load.received, load.failed]).toEqual([22, 10, 12]);
    expect(load.failed).toBe(load.errors.total + load.unsent.total + load.lost + load.orphaned);
  });
});
