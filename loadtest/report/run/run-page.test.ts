import { describe, expect, it } from 'vitest';
import { emptyResult } from '../../result/run-result.ts';
import type { Block, ReportPage, Table } from '../report-page.ts';
import { benchRun, brokenRun, compareRun, ladderRun } from '../runs.fixture.ts';
import { scaleRun } from '../scale-run.fixture.ts';
import { runPage } from './run-page.ts';

const titles = ({ sections }: ReportPage): string[] => sections.map(({ title }) => title);

function block<Kind extends Block['kind']>(
  page: ReportPage,
  kind: Kind,
  title: string,
): Extract<Block, { kind: Kind }> {
  const blocks = page.sections.flatMap((section) => section.blocks);
  const found = blocks.find((one) => one.kind === kind && one.title === title);
  if (found === undefined)
    throw new Error(`no ${kind} ${title} among ${blocks.map((one) => one.title).join(', ')}`);
  return found as Extract<Block, { kind: Kind }>;
}

const row = ({ rows }: Table, name: string): readonly string[] | undefined =>
  rows.find(([first]) => first === name);

describe('runPage', () => {
  it('has the parts of the template, in its order', () => {
    expect(titles(runPage(scaleRun()))).toEqual([
      'Expectations',
      'Test environment',
      'Response times',
      'Throughput',
      'Errors',
      'Processes',
    ]);
  });

  it('has percentiles with goal and state, and without where nobody set one', () => {
    const page = runPage({ ...scaleRun(), latencyGoalsMs: { '50': 0.1, '99': 10 } });
    const table = block(page, 'table', 'Percentiles');
    expect(table.head).toEqual(['Percentile', 'Time', 'Goal', 'State']);
    expect(row(table, '50 %')!.slice(2)).toEqual(['< 0.100 ms', 'missed']);
    expect(row(table, '99 %')!.slice(2)).toEqual(['< 10.0 ms', 'met']);
    expect(row(table, '95 %')!.slice(2)).toEqual(['', '']);
    const without = runPage({ ...scaleRun(), latencyGoalsMs: {} });
    expect(block(without, 'table', 'Percentiles').head).toEqual(['Percentile', 'Time']);
  });

  it('marks a part of a run as one, above all else', () => {
    const page = runPage(brokenRun('x'));
    expect(page.marks.map(({ mood }) => mood)).toEqual(['warn', 'bad', 'bad']);
    expect(page.marks[0]!.text).toMatch(/^Interrupted after 14 s/);
    expect(block(page, 'bars', 'Errors by kind').bars[0]).toMatchObject({
      label: 'reply timed out',
      value: 3_877,
    });
  });

  it('shows nothing that was not measured: no zero stands for it', () => {
    const about = { title: 'nothing', command: 'npm run scale', environment: scaleRun().environment };
    const page = runPage(emptyResult({ kind: 'scale', ...about, target: 'nowhere', settings: {} }));
    expect(titles(page)).toEqual(['Test environment']);
    expect(page.figures).toEqual([]);
    const unseen = scaleRun();
    const timeline = unseen.timeline.map((second) => ({ ...second, processes: {} }));
    const remote = runPage({ ...unseen, timeline });
    expect(titles(remote)).not.toContain('Processes');
    expect(block(remote, 'table', 'Throughput').head).not.toContain('Gateway CPU');
  });

  it('puts the stages of a ladder into a table, and in the order of their load into charts', () => {
    const run = ladderRun();
    const page = runPage({ ...run, stages: [...run.stages].reverse() });
    expect(block(page, 'table', 'Throughput by stage').rows.map(([name]) => name)).toEqual(
      run.stages.map(({ name }) => name).reverse(),
    );
    expect(block(page, 'lines', 'Response times by messages per second').xs).toEqual([
      100, 500, 1_000, 2_000, 5_000,
    ]);
  });

  it('takes what was tried again as it was at last, and no mean over stages for a figure', () => {
    const run = ladderRun();
    const again = { ...run.stages[4]!, gatewayCores: 0.5, passed: true, repliesPerSecond: 5_000 };
    const page = runPage({ ...run, stages: [...run.stages, again] });
    expect(block(page, 'lines', 'CPU of the gateway by messages per second').lines[0]!.ys.slice(-1)).toEqual([
      0.5,
    ]);
    expect(page.figures.map(({ label }) => label)).not.toContain('replies per second');
    expect(page.figures).toContainEqual({ label: 'most replies/s that passed', text: '5,000' });
  });

  it('counts the replies of half a second as those of half a second', () => {
    const run = scaleRun({ seconds: 2 });
    const short = { ...run, seconds: 0.5, totals: { ...run.totals!, received: 100 } };
    expect(runPage(short).figures).toContainEqual({ label: 'replies per second', text: '200' });
  });

  it('shows a refused ratio as refused, with the reason, and no bar', () => {
    const { bars } = block(runPage(compareRun()), 'bars', 'Ratios of messages per second');
    expect(bars.at(-1)).toMatchObject({
      value: null,
      text: expect.stringContaining('the loader was full') as string,
    });
    expect(bars[0]).toMatchObject({ text: '2.10× (goal ≥ 2.00: met)', mood: 'good' });
    const messages = block(runPage(compareRun()), 'bars', 'Messages per second, depth 1').bars;
    expect(messages.find(({ label }) => label === 'bare engine')!.text).toContain('the loader was full');
  });

  it('has the guide beside a micro-bench', () => {
    const page = runPage(benchRun());
    expect(block(page, 'table', 'metrics').rows[0]).toEqual([
      'counter',
      '1.1 ns',
      '≤ 3.0 ns',
      'met',
      '108 ns',
      '96× faster',
    ]);
    expect(block(page, 'table', 'framing').head).toEqual(['', 'Time']);
  });

  it('draws processes that do the same as one line where there are many', () => {
    const { lines } = block(runPage(scaleRun({ gateways: 8 })), 'lines', 'CPU (cores)');
    expect(lines.map(({ label }) => label)).toEqual(['gateway (8 processes)', 'backend', 'loader 1']);
  });
});
