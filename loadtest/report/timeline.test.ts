import { describe, expect, it } from 'vitest';
import { scaleRun } from './scale-run.fixture.ts';
import { momentsOf, secondsOfMoments } from './timeline.ts';

describe('momentsOf', () => {
  it('is the timeline itself where the run is short, as rates per second', () => {
    const run = scaleRun({ seconds: 10, rate: 1_000 });
    const moments = momentsOf(run);
    expect(moments.map(({ at }) => at)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(moments[3]).toMatchObject({ sentPerSecond: 1_000, latencyMs: run.timeline[3]!.latencyMs });
  });

  it('keeps every maximum of a long run, and its messages', () => {
    const run = scaleRun({ seconds: 1_900, rate: 400 });
    const moments = momentsOf(run);
    expect(secondsOfMoments(run)).toBe(4);
    expect(moments.length).toBeLessThanOrEqual(600);
    const highest = Math.max(...run.timeline.map(({ latencyMs }) => latencyMs!.max));
    expect(Math.max(...moments.map(({ latencyMs }) => latencyMs!.max))).toBe(highest);
    const cores = Math.max(...run.timeline.map(({ processes }) => processes['gateway']!.cores));
    expect(Math.max(...moments.map(({ processes }) => processes['gateway']!.cores))).toBe(cores);
    const sent = moments.reduce((sum, { sentPerSecond, seconds }) => sum + sentPerSecond * seconds, 0);
    expect(sent).toBeCloseTo(run.totals!.sent, 3);
  });

  it('adds what is left of a last second to the one before', () => {
    const run = scaleRun({ seconds: 3, rate: 1_000 });
    const rest = { ...run.timeline[2]!, at: 3.1, sent: 100, received: 900 };
    const moments = momentsOf({ ...run, timeline: [...run.timeline, rest] });
    expect(moments).toHaveLength(3);
    expect(moments[2]).toMatchObject({ at: 3.1, sentPerSecond: 1_100 / 1.1 });
  });

  it('has no latency where no reply came', () => {
    const run = scaleRun({ seconds: 2 });
    const silent = { ...run, timeline: run.timeline.map((second) => ({ ...second, latencyMs: null })) };
    expect(momentsOf(silent).map(({ latencyMs }) => latencyMs)).toEqual([null, null]);
  });
});
