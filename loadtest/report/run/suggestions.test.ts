import { describe, expect, it } from 'vitest';
import { compareRun } from '../runs.fixture.ts';
import { scaleRun } from '../scale-run.fixture.ts';
import { suggestionsOf } from './suggestions.ts';

describe('suggestionsOf', () => {
  it('has none for a run in which nothing stands out', () => {
    expect(suggestionsOf(scaleRun())).toEqual([]);
    expect(suggestionsOf(compareRun())).toEqual([]);
  });

  it('names the process that had no time left, and what to do', () => {
    const roomy = { gatewayCores: 0.5, loaderCores: 0.5 };
    expect(suggestionsOf(scaleRun({ ...roomy, loaderCores: 1 }))).toEqual([
      expect.stringMatching(/^Loader 1 used its whole core in 30 of 30 seconds: the figures may be its own/),
    ]);
    expect(suggestionsOf(scaleRun({ ...roomy, gatewayCores: 1 }))).toEqual([
      expect.stringMatching(/^Gateway used its whole core .* SO_REUSEPORT/),
    ]);
  });

  it('says nothing of one core where a process has several threads', () => {
    expect(suggestionsOf(scaleRun({ gatewayCores: 1.4, loaderCores: 0.1 }))).toEqual([]);
  });

  it('says when all of them together used up the machine', () => {
    expect(suggestionsOf(scaleRun({ gatewayCores: 0.9, loaderCores: 0.9 }))).toEqual([
      expect.stringMatching(/^All 2 cores of the machine were used in \d+ of 30 seconds/),
    ]);
  });

  it('tells a long tail by how many times the median it is', () => {
    const run = scaleRun();
    const percentilesMs = { ...run.latency!.percentilesMs, '50': 0.4, '99': 12 };
    expect(suggestionsOf({ ...run, latency: { ...run.latency!, percentilesMs } })).toEqual([
      expect.stringMatching(
        /^One reply in a hundred took 30 times as long as the median \(12\.0 ms against 0\.400 ms\)/,
      ),
    ]);
    const short = { ...percentilesMs, '50': 0.01, '99': 0.5 };
    expect(suggestionsOf({ ...run, latency: { ...run.latency!, percentilesMs: short } })).toEqual([]);
  });

  it('tells growth of memory only where the run is long enough, and as many clients are there', () => {
    const growth = 1_000_000;
    expect(suggestionsOf(scaleRun({ seconds: 200, growth }))).toEqual([
      expect.stringMatching(/^The gateway's memory grew by 120 MB .* in 3 min 20 s/),
    ]);
    expect(suggestionsOf(scaleRun({ seconds: 30, growth: 10 * growth }))).toEqual([]);
    const run = scaleRun({ seconds: 200, growth });
    const more = run.timeline.map((second, index) => ({ ...second, open: index }));
    expect(suggestionsOf({ ...run, timeline: more })).toEqual([]);
  });

  it('knows what the operating system means', () => {
    const run = scaleRun();
    expect(suggestionsOf({ ...run, errors: { 'connect EMFILE': 4 } })[0]).toContain('ulimit -n');
    expect(suggestionsOf({ ...run, errors: { 'connect EADDRNOTAVAIL 127.0.0.1': 4 } })[0]).toContain('ports');
  });

  it('says that other programs were in the way of a comparison', () => {
    const run = compareRun();
    const [first, ...rest] = run.comparison!.contestants;
    const disturbed = { ...first!, cores: { ...first!.cores, others: 0.8 } };
    const comparison = { ...run.comparison!, contestants: [disturbed, ...rest] };
    expect(suggestionsOf({ ...run, comparison })[0]).toMatch(/^Other programs used up to 0\.80 cores/);
  });
});
