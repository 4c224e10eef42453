import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { contestants, wantedRatios } from '../loadtest/compare/contestants.ts';
import { parseRunResult, type RunResult } from '../loadtest/result/run-result.ts';
import { startChild, type Child } from './support/child.ts';
import { eventually } from './support/eventually.ts';
import { CHECKOUT } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const names = contestants.map(({ name }) => name);
const longestMs = 180_000;

/** `npm run compare`, with few clients and windows so short that its figures mean nothing. */
function startCompare(...args: string[]): Child {
  const small = ['--clients', '20', '--seconds', '0.2', '--warmup', '0', '--depth', '1'];
  const command = ['--disable-warning=ExperimentalWarning', 'loadtest/compare/main.ts', ...small, ...args];
  return startChild(process.execPath, command, { cwd: CHECKOUT });
}

describe('npm run compare', () => {
  const jsonFile = join(tempDir(), 'compare.json');
  const reportFile = join(tempDir(), 'compare.html');
  let output: string;
  let result: RunResult;

  beforeAll(async () => {
    const child = startCompare('--rounds', '1', '--json', jsonFile, '--report', reportFile);
    expect(await child.exited, child.output()).toBe(0);
    output = child.output();
    result = parseRunResult(readFileSync(jsonFile, 'utf8'));
  }, longestMs);

  it('has figures of each, and none that is zero', () => {
    const measured = result.comparison!.contestants;
    expect(measured.map(({ name }) => name)).toEqual(names);
    for (const one of measured) {
      expect(one.messagesPerSecond, one.name).toBeGreaterThan(0);
      expect(one.p99Ms, one.name).toBeGreaterThanOrEqual(one.p50Ms);
      expect(one.p50Ms, one.name).toBeGreaterThan(0);
    }
  });

  it('counts the connections to the backend: one for each client, or a few for all', () => {
    const used = Object.fromEntries(
      result.comparison!.contestants.map(({ name, upstreamConnections }) => [name, upstreamConnections]),
    );
    expect(used).toMatchObject({ bare: null, ws: null, echo: null, nginx: 20, haproxy: 20, session: 20 });
    for (const mode of ['request', 'mux']) {
      expect(used[mode]).toBeGreaterThanOrEqual(4);
      expect(used[mode]).toBeLessThanOrEqual(8);
    }
  });

  it('has each ratio, or the reason why there is none', () => {
    const { ratios } = result.comparison!;
    expect(ratios.map(({ name, against }) => [name, against])).toEqual(
      wantedRatios.map(({ a, b }) => [a, b]),
    );
    for (const { name, against, ratio, refused } of ratios) {
      expect((ratio === null) !== (refused === null), `${name} ÷ ${against}`).toBe(true);
      expect(output).toMatch(new RegExp(`^  ${name} ÷ ${against} +(\\d+\\.\\d\\d× |no ratio \\()`, 'm'));
    }
    expect(result).toMatchObject({ kind: 'compare', complete: true });
    expect(Object.keys(result.environment.others)).toEqual(['nginx', 'haproxy']);
  });

  it('writes a report', () => {
    expect(readFileSync(reportFile, 'utf8')).toContain('<!doctype html>');
  });
});

it('measures in turns, and prints what was measured until Ctrl-C', { timeout: longestMs }, async () => {
  const child = startCompare('bare', 'echo', '--rounds', '20');
  await eventually(() => expect(child.output()).toContain('round 3 of 20'), 60_000);
  child.signal('SIGINT');
  expect(await child.exited, child.output()).toBe(130);
  const turns = [...child.output().matchAll(/^depth 1, round \d+ of 20: (\w+) …$/gm)].map(([, name]) => name);
  expect(turns.slice(0, 5)).toEqual(['bare', 'echo', 'bare', 'echo', 'bare']);
  expect(child.output()).toMatch(/It ended early[^]*^ {2}bare +[\d,]+/m);
});

it('ends as with Ctrl-C when its terminal is closed', { timeout: longestMs }, async () => {
  const child = startCompare('bare', '--rounds', '20');
  await eventually(() => expect(child.output()).toContain('round 1 of 20'), 60_000);
  child.signal('SIGHUP');
  expect(await child.exited, child.output()).toBe(130);
});

it(
  'a server that cannot start fails the run, with what it said and without a table',
  { timeout: longestMs },
  async () => {
    const child = startCompare('echo', '--gateway', 'package.json');
    expect(await child.exited).toBe(1);
    expect(child.output()).toMatch(/compare: gateway ended early[^]*compare: nothing was measured/);
    expect(child.output()).not.toContain('messages/s');
  },
);

it.each([
  [['envoy'], 'compare: no contestant envoy; there are bare, ws, '],
  [['--json', 'no/such/folder/a.json'], 'compare: --json no/such/folder/a.json: there is no folder'],
])('%j ends it at once with 2', async (args, reason) => {
  const child = startCompare(...args);
  expect(await child.exited).toBe(2);
  expect(child.output()).toContain(reason);
  expect(child.output()).not.toMatch(/^ +at /m);
});
