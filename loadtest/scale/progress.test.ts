import { describe, expect, it } from 'vitest';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { connectingStep, loadingStep } from './progress.ts';

describe('the progress of a run', () => {
  it('says who is there and who failed, and neither a rate nor an end before anybody is there', () => {
    expect(connectingStep(5_000, 0, 10_000, 1_250)).toEqual({
      what: 'connecting',
      share: 0.5,
      details: ['5,000 of 10,000', '4,000/s', '2 s left'],
    });
    expect(connectingStep(0, 0, 100, 0).details).toEqual(['0 of 100', '0/s']);
    expect(connectingStep(95, 5, 100, 1_000).details).toEqual([
      ...['95 of 100', '100/s', '5 failed', 'all there'],
    ]);
  });

  it('has what the last second of a load was, and waits for its last replies', () => {
    const latency = new LatencyHistogram();
    latency.record(2_000, 500);
    const last = { at: 3, sent: 500, received: 500, failed: 0, owed: 2, latency };
    const moment = { name: 'loading', durationMs: 10_000, errors: 1 };
    expect(loadingStep({ ...moment, elapsedMs: 3_200, last }).details).toEqual([
      ...['7 s left', '500/s', 'p99 2.00 ms', '1 errors'],
    ]);
    expect(loadingStep({ ...moment, elapsedMs: 10_100, last: undefined }).details).toEqual([
      ...['waiting for the last replies', '1 errors'],
    ]);
  });
});
