import { describe, expect, it } from 'vitest';
import type { Figures } from './figures.ts';
import { figuresTable, ratioLine, saturated } from './table.ts';

function figures(server: string, messagesPerSecond: number, cores: Partial<Figures['cores']>): Figures {
  return {
    ...{ server, depth: 1, messagesPerSecond, p50Us: 1000, p99Us: 2000, maxUs: 3000 },
    cores: { loader: 0.5, server: 0.5, backend: 0.1, others: 0, ...cores },
    serverCpuUsPerMessage: 500_000 / messagesPerSecond,
    upstreamConnections: 8,
  };
}

const a = figures('wsluice', 120_000, {});
const b = figures('nginx', 60_000, {});

describe('ratioLine', () => {
  it('names depth, clients, ratio and goal, and whether it is met', () => {
    const comparison = { depth: 1, clients: 1000, runs: [], a, b };
    expect(ratioLine('pooled', comparison, 2)).toContain('depth 1, 1,000 clients: 2.00× (goal ≥ 2.00: met)');
    expect(ratioLine('pooled', comparison, 2.1)).toContain('(goal ≥ 2.10: missed)');
  });
});

describe('saturated', () => {
  it('names each process that used its whole core', () => {
    expect(saturated(figures('x', 1, { loader: 0.99, server: 0.95 }), 2)).toBe('loader + server');
  });

  it('names the machine when its cores are used up together', () => {
    expect(saturated(figures('x', 1, { loader: 0.8, server: 0.8, backend: 0.35 }), 2)).toBe('the machine');
    expect(saturated(a, 2)).toBe('none');
  });
});

describe('figuresTable', () => {
  it('warns when other programs used the machine', () => {
    const quiet = { depth: 1, clients: 1000, runs: [], a, b };
    expect(figuresTable(quiet)).not.toContain('Other programs');
    expect(figuresTable({ ...quiet, b: figures('nginx', 1, { others: 0.4 }) })).toContain('Other programs');
  });
});
