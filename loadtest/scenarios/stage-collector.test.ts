import { expect, it } from 'vitest';
import { LatencyHistogram } from '../result/latency-histogram.ts';
import { StageCollector } from './stage-collector.ts';

function encoded(...ms: number[]): string {
  const latency = new LatencyHistogram();
  for (const one of ms) latency.record(one * 1_000);
  return latency.encoded;
}

const began = {
  type: 'stage-began',
  name: 'calls',
  atMs: 5_000,
  rate: 2,
  seconds: 2,
  connections: 1,
} as const;

it('adds up the seconds of a stage', () => {
  const collector = new StageCollector();
  collector.take(began);
  expect(collector.current).toBe('calls');
  const second = { type: 'stage-second', name: 'calls' } as const;
  collector.take({ ...second, second: 0, sent: 3, replied: 2, errors: {}, latency: encoded(1, 9) });
  collector.take({
    ...second,
    second: 1,
    sent: 1,
    replied: 1,
    errors: { 'wrong reply': 1 },
    latency: encoded(5),
  });
  collector.take({ type: 'stage-ended', name: 'calls', atMs: 7_100, connections: 3 });
  expect(collector.current).toBeUndefined();
  const [stage] = collector.stages;
  expect(stage).toMatchObject({
    sent: 4,
    replied: 3,
    errors: { 'wrong reply': 1 },
    endedAtMs: 7_100,
    connections: 3,
  });
  expect(stage!.latency.count).toBe(3);
  expect(stage!.seconds.map(({ errors }) => errors)).toEqual([0, 1]);
});

it('keeps waves and lost clients apart, and stalled clients from others', () => {
  const collector = new StageCollector();
  for (const failure of [null, null, 'connection refused'])
    collector.take({ type: 'wave', name: 'again', failure });
  collector.take({ type: 'dropped', kind: 'connection reset', stalled: false });
  collector.take({ type: 'dropped', kind: 'closed by the server: 1013', stalled: true });
  expect(collector.waves).toEqual([
    { name: 'again', tried: 3, opened: 2, errors: { 'connection refused': 1 } },
  ]);
  expect(collector.dropped).toEqual({ 'connection reset': 1 });
  expect(collector.stalledDropped).toEqual({ 'closed by the server: 1013': 1 });
});

it('does not mix two stages of one name', () => {
  const collector = new StageCollector();
  collector.take(began);
  expect(() => collector.take(began)).toThrow('two stages are called calls');
});
