import { expect, it } from 'vitest';
import type { LiveHistorySample } from '../../live/live-sample.ts';
import { History, keptSamples } from './history.ts';

const sampleAt = (at: number): LiveHistorySample => ({ at }) as LiveHistorySample;
const samples = (from: number, count: number): LiveHistorySample[] =>
  Array.from({ length: count }, (_, index) => sampleAt(from + index * 1_000));
const times = (history: History): (number | null)[] => history.seconds.map((second) => second?.at ?? null);

it('keeps five minutes', () => {
  const history = new History();
  for (const sample of samples(1_000, keptSamples + 5)) history.add(sample);
  expect([history.seconds.length, history.times.length, history.times[0]]).toEqual([
    keptSamples,
    keptSamples,
    6,
  ]);
  expect(history.latest?.at).toBe((keptSamples + 5) * 1_000);
});

it('takes over what the gateway remembers, and keeps what is older', () => {
  const history = new History();
  for (const sample of samples(1_000, 4)) history.add(sample);
  history.begin(samples(3_000, 4));
  expect(times(history)).toEqual([1_000, 2_000, 3_000, 4_000, 5_000, 6_000]);
  history.begin([]);
  expect(times(history)).toHaveLength(6);
});

it('leaves a gap where nobody could be asked', () => {
  const history = new History();
  history.add(sampleAt(1_000));
  history.begin([]);
  history.add(sampleAt(20_000));
  expect(times(history)).toEqual([1_000, null, 20_000]);
  history.begin(samples(30_000, 1));
  expect(times(history)).toEqual([1_000, null, 20_000, null, 30_000]);
});

it('begins anew when the clock of the gateway was set back', () => {
  const history = new History();
  for (const sample of samples(50_000, 3)) history.add(sample);
  history.add(sampleAt(2_000));
  expect(times(history)).toEqual([2_000]);
  expect(history.times).toEqual([2]);
});
