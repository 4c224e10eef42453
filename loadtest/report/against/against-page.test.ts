import { describe, expect, it } from 'vitest';
import { benchRun, brokenRun, compareRun, ladderRun } from '../runs.fixture.ts';
import { scaleRun } from '../scale-run.fixture.ts';
import { againstPage } from './against-page.ts';
import { againstText } from './against-text.ts';
import { differencesOf } from './differences.ts';
import { changeText, judge, judgementText } from './judgement.ts';
import { unlikeOf } from './unlike.ts';

const before = { name: 'before.json', result: scaleRun() };

describe('two runs beside each other', () => {
  it('knows for each figure whether more is better or worse', () => {
    const worse = differencesOf(before.result, scaleRun({ slower: 1.5 })).filter(
      (one) => judge(one) === 'worse',
    );
    expect(new Set(worse.map(({ group }) => group))).toEqual(new Set(['Response times']));
    const [rate] = differencesOf(scaleRun({ rate: 40_000 }), before.result).filter(
      ({ name }) => name === 'replies per second',
    );
    expect(judge(rate!)).toBe('better');
    expect(changeText(rate!)).toBe('+25.0 %');
  });

  it('calls what two runs of one build differ by the same', () => {
    const text = String;
    const about = { group: '', name: '', better: 'less', text } as const;
    expect(judge({ ...about, a: 100, b: 104 })).toBe('same');
    expect(judge({ ...about, a: 100, b: 107 })).toBe('worse');
    expect(judge({ ...about, a: 0, b: 0 })).toBe('same');
    expect(judgementText({ ...about, a: 0, b: 0.1 })).toBe('worse');
    expect(judgementText({ ...about, a: 1, b: 20 })).toBe('worse (20 times as much)');
  });

  it('pairs stages, servers, ratios that both have, and micro-benches by their names', () => {
    const names = (a: Parameters<typeof differencesOf>[0], b = a) =>
      differencesOf(a, b).map(({ name }) => name);
    expect(names(ladderRun())).toContain('2,000 messages/s: p99');
    expect(names(compareRun())).toContain('nginx, depth 16: CPU per message');
    expect(names(compareRun())).not.toContain('wsluice echo ÷ bare engine, depth 16');
    const other = { ...benchRun(), benches: benchRun().benches.slice(1) };
    expect(names(benchRun(), other)).not.toContain('metrics: counter');
  });

  it('puts another machine or rate above everything, but not another build', () => {
    const { environment } = before.result;
    const result = {
      ...scaleRun({ rate: 45_000 }),
      environment: { ...environment, cores: 8, wsluice: '0.2.0' },
    };
    const page = againstPage(before, { name: 'after.json', result });
    expect(page.marks[0]!.text).toMatch(/^Not the same run twice: CPU, setting rate differ\./);
    expect(unlikeOf(before.result, result).find(({ name }) => name === 'wsluice')).toMatchObject({
      a: '0.1.0',
      b: '0.2.0',
      isExpected: true,
    });
    const again = againstPage(before, { name: 'again.json', result: scaleRun() });
    expect(again.marks).toEqual([
      { mood: 'plain', text: 'B beside A: 0 better, 0 worse, 18 the same (within 5 %).' },
    ]);
    expect(again.sections.map(({ title }) => title)).toEqual(['Figures', 'Drawings']);
  });

  it('draws both in each chart, and what only one has in none', () => {
    const unseen = scaleRun();
    const timeline = unseen.timeline.map((second) => ({ ...second, processes: {} }));
    const page = againstPage(before, { name: 'b', result: { ...unseen, timeline } });
    const charts = page.sections.flatMap(({ blocks }) => blocks).filter((block) => block.kind === 'lines');
    expect(charts.map(({ title }) => title)).toEqual([
      'Response times by percentile',
      'p99 over time',
      'Replies per second',
    ]);
    for (const { lines } of charts) expect(lines.map(({ label }) => label)).toEqual(['A', 'B']);
  });

  it('says which of them is a part', () => {
    const page = againstPage(before, { name: 'b', result: brokenRun('x') });
    expect(page.marks[0]!.text).toBe('B was interrupted after 14 s.');
  });

  it('is a table in a terminal, which no text of a file can take over', () => {
    const text = againstText(before, { name: 'b', result: { ...scaleRun(), target: 'red \u001b[31m' } });
    expect(text).toContain('A before.json, B b: 0 better, 0 worse, 18 the same');
    expect(text).toMatch(/Response times: 99 % +([\d.]+ ms) +\1 +±0 % +same/);
    expect(text).not.toContain('\u001b');
  });

  it('refuses two that have no figure in common', () => {
    const empty = { name: 'empty.json', result: { ...benchRun(), benches: [] } };
    expect(() => againstText({ name: 'a.json', result: benchRun() }, empty)).toThrow(/no figure in common/);
  });
});
