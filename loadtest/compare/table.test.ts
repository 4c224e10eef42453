import { describe, expect, it } from 'vitest';
import { figuresOf } from './figures.fixture.ts';
import { ratioOf } from './ratio.ts';
import { figuresTable, ratioLine, ratioTable } from './table.ts';

const a = figuresOf('wsluice', 120_000);
const b = figuresOf('nginx', 60_000);
const loaderBound = figuresOf('bare', 110_000, { loader: 0.99, server: 0.84 });
const disturbed = figuresOf('ws', 60_000, { others: 0.4 });

describe('ratioLine', () => {
  it('names depth, clients, ratio and goal, and whether it is met', () => {
    const line = (goal?: number): string => ratioLine('pooled', ratioOf(a, b, goal), 1000);
    expect(line(2)).toBe(
      'pooled ÷ nginx, depth 1, 1,000 clients: 2.00× (goal ≥ 2.00: met); messages per CPU second 2.00×',
    );
    expect(line(2.1)).toContain('(goal ≥ 2.10: missed)');
    expect(line()).toContain('2.00× (no goal)');
  });

  it('has no ratio where the loader was the bottleneck, but what CPU times say', () => {
    const line = ratioLine('echo', ratioOf(a, loaderBound, 0.85), 1000);
    expect(line).toContain('no ratio (bare: the loader was the bottleneck (0.99 cores; server 0.84))');
    expect(line).toContain('messages per CPU second');
    expect(line).not.toMatch(/met|missed/);
  });

  it('has neither where other programs used the machine', () => {
    const line = ratioLine('echo', ratioOf(a, disturbed), 1000);
    expect(line).toContain('no ratio (ws: other programs used 0.40 cores)');
    expect(line).not.toContain('CPU second');
  });
});

describe('ratioTable', () => {
  it('says what to do once for each cause', () => {
    const text = ratioTable([ratioOf(a, loaderBound), ratioOf(loaderBound, b), ratioOf(disturbed, b)]);
    expect(text.match(/fewer clients/g)).toHaveLength(1);
    expect(text.match(/--retries 5/g)).toHaveLength(1);
  });

  it('says nothing of the kind where no ratio was refused', () => {
    expect(ratioTable([ratioOf(a, b, 2)])).toBe(
      '  wsluice ÷ nginx  2.00× (goal ≥ 2.00: met); messages per CPU second 2.00×',
    );
  });
});

describe('figuresTable', () => {
  it('warns when other programs used the machine', () => {
    expect(figuresTable([a, b])).not.toContain('Other programs');
    expect(figuresTable([a, disturbed])).toContain('Other programs');
  });

  it('has a row for each, under its header', () => {
    const [head, ...rows] = figuresTable([a, b]).split('\n');
    expect(head).toMatch(/messages\/s +p50 ms +p99 ms +µs CPU\/msg +cores: loader +server +backend/);
    expect(rows).toHaveLength(2);
    expect(rows[1]).toMatch(/^ {2}nginx +60,000 +1\.00 +2\.00 +8\.33 +0\.50 +0\.50 +0\.10 +0\.00 +8 /);
  });
});
