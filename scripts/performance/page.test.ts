import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { environment } from '../../loadtest/result/environment.ts';
import { emptyResult, type RunResult } from '../../loadtest/result/run-result.ts';
import { committedResults, performanceMarkdown } from './page.ts';

function resultOf(kind: RunResult['kind'], title: string, more: Partial<RunResult> = {}): RunResult {
  const about = {
    command: `npm run ${kind}`,
    target: 'a gateway',
    settings: { clients: 1000, otherCores: 0.04 },
  };
  const machine = { ...environment('loopback', { nginx: '1.22' }), cpu: 'Some CPU', cores: 2 };
  return { ...emptyResult({ kind, title, environment: machine, ...about }), complete: true, ...more };
}

const contestant = (name: string, messagesPerSecond: number) => ({
  ...{ name, protocol: 'jsonrpc', depth: 1, messagesPerSecond, p50Ms: 5, p99Ms: 9 },
  ...{ serverCpuUsPerMessage: 10, upstreamConnections: 4, saturated: 'server' },
  cores: { loader: 0.6, server: 1, backend: 0.2, others: 0.01 },
});
const ratio = { name: 'request', against: 'nginx', depth: 1, refused: null, perCpuSecond: 1.7 };

const page = performanceMarkdown([
  {
    name: 'compare',
    result: resultOf('compare', 'all', {
      comparison: {
        contestants: [contestant('request', 90_000), contestant('nginx', 50_000)],
        ratios: [
          { ...ratio, ratio: 1.8, goal: 2 },
          {
            ...ratio,
            against: 'haproxy',
            ratio: null,
            goal: null,
            refused: 'haproxy: the loader was the bottleneck',
          },
        ],
      },
    }),
  },
  {
    name: 'micro',
    result: resultOf('bench', 'micro', {
      benches: [{ group: 'metrics', name: 'Histogram.observe', ns: 4, goalNs: 8, seedNs: 164 }],
    }),
  },
  {
    name: 'ladder',
    result: resultOf('scenario', 'ladder', {
      stages: [
        {
          ...{ name: '100/s', ratePerSecond: 100, repliesPerSecond: 99.8, connections: 50, errorShare: 0 },
          latencyMs: { p50: 1, p95: 2, p99: 3, max: 44 },
          ...{ gatewayCores: 0.1, gatewayResidentBytes: 90e6, passed: true },
        },
      ],
      verdicts: [{ expectation: 'p99 below 50 ms', measured: '3 ms', passed: true }],
    }),
  },
]);

describe('docs/performance.md', () => {
  it('says of each part which command prints it, when and where', () => {
    const today = new Date().toISOString().slice(0, 10);
    for (const command of ['compare', 'bench', 'scenario'])
      expect(page).toContain(`\`npm run ${command}\`, ${today}, 0 s: 2 cores (Some CPU), `);
    expect(page).toContain('nginx 1.22, loopback.');
  });

  it('has contestants, and ratios with their verdict or why there is none', () => {
    expect(page).toContain('### 1,000 clients, one message each under way');
    expect(page).toMatch(/^\| `request` \| JSON-RPC, 73 bytes \| 90,000 \| 5\.00 \| 9\.00 \| 10\.00 \|/m);
    expect(page).toContain('| `request` ÷ `nginx` | **1.80** | ≥ 2.00 | missed | 1.70 |');
    expect(page).toContain(
      '| `request` ÷ `haproxy` | none |  | haproxy: the loader was the bottleneck | 1.70 |',
    );
  });

  it('has single operations beside their goal and the seed’s figure', () => {
    expect(page).toContain('| Histogram.observe | 4.0 ns | ≤ 8 ns: met | 164 ns | 41.0 |  |  |');
    expect(page).not.toContain('Other programs used');
    expect(page).toContain('another machine and another language');
  });

  it('has the stages and verdicts of scenarios, and no part that was not measured', () => {
    expect(page).toMatch(/^### ladder$/m);
    expect(page).toContain(
      '| 100/s | 100 | 100 | 50 | 0.00 % | 1.00 | 2.00 | 3.00 | 44.0 | 0.10 | 90 MB | passed |',
    );
    expect(page).toContain('| p99 below 50 ms | 3 ms | passed |');
    expect(page).not.toContain('At a fixed rate');
  });
});

it('names the file that is no result', () => {
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-results-'));
  writeFileSync(join(dir, 'broken.json'), '{}');
  expect(() => committedResults(dir)).toThrow(/loadtest\/results\/broken\.json: it is no result/);
  rmSync(dir, { recursive: true });
});

it('keeps results small, and none of an interrupted run', () => {
  for (const { name, result } of committedResults()) {
    expect(result.timeline, name).toEqual([]);
    expect(result.complete, name).toBe(true);
    expect(result.command, name).not.toMatch(/--json|--report|\/tmp/);
  }
});
