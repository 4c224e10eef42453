import { expect, it } from 'vitest';
import { zeroCounts, type TelemetryCounts, type TelemetryLine } from '../engine/telemetry-line.ts';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { TelemetryBook } from './telemetry-book.ts';

const start = 1_000;

function line(
  worker: string,
  second: number,
  counts: Partial<TelemetryCounts>,
  latenciesUs: readonly number[] = [],
  errors: Record<string, number> = {},
): TelemetryLine {
  const latency = new LatencyHistogram();
  for (const us of latenciesUs) latency.record(us);
  return {
    ...{ type: 'second', worker, second, errors, expected: {}, examples: {} },
    counts: { ...zeroCounts(), ...counts },
    ...(latenciesUs.length > 0 ? { latency: latency.encoded } : {}),
    ...{ firstAtMs: start * 1_000 + 200, lastOpenAtMs: start * 1_000 + 700, lastAtMs: second * 1_000 - 100 },
  };
}

it('adds up what several workers say, and tells it second by second', () => {
  const book = new TelemetryBook();
  book.take(
    line('a', start + 1, { connected: 2, open: 2, sent: 5, received: 4 }, [1_000, 2_000, 3_000, 4_000]),
  );
  book.take(line('b', start + 1, { connected: 1, open: 1, sent: 2, received: 2 }, [9_000, 9_000]));
  book.take(line('a', start + 3, { connected: 2, open: 0, sent: 8, received: 7 }, [1_000], { lost: 1 }));
  const { totals, timeline, latency, errors, seconds } = book.measured();
  expect(totals).toMatchObject({ connected: 3, sent: 10, received: 9, failed: 1, onlineMs: 500 });
  expect(errors).toEqual({ lost: 1 });
  expect(seconds).toBeCloseTo(2.7);
  expect(latency).toMatchObject({ count: 7 });
  expect(
    timeline.map(({ at, sent, received, errors: wrong, open }) => [at, sent, received, wrong, open]),
  ).toEqual([
    [1, 7, 6, 0, 3],
    [2, 0, 0, 0, 3],
    [3, 3, 3, 1, 1],
  ]);
  expect(timeline[0]!.latencyMs?.max).toBeCloseTo(9, 1);
  expect(timeline[1]!.latencyMs).toBeNull();
});

it('has measured nothing where no connection was begun', () => {
  const book = new TelemetryBook();
  expect(book.measured()).toMatchObject({ totals: null, latency: null, timeline: [] });
});
