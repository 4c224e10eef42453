import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { parseRunResult } from '../loadtest/result/run-result.ts';
import { startChild } from './support/child.ts';
import { CHECKOUT } from './support/gateway.ts';
import { tempDir } from './support/temp-dir.ts';

const longestMs = 120_000;

async function runBench(...args: string[]): Promise<{ code: number | string; output: string }> {
  const command = ['--disable-warning=ExperimentalWarning', 'loadtest/bench/run.ts', ...args];
  const child = startChild(process.execPath, command, { cwd: CHECKOUT });
  return { code: await child.exited, output: child.output() };
}

it('a micro-bench prints a table, and writes what it measured', { timeout: longestMs }, async () => {
  const jsonFile = join(tempDir(), 'bench.json');
  const { code, output } = await runBench('waiting', '--json', jsonFile);
  expect(code, output).toBe(0);
  expect(output).toMatch(/^waiting: .*\n +takes *\n {2}3 clients with 1 waiting: .* [\d.,]+ ns *$/m);
  const { kind, benches, complete } = parseRunResult(readFileSync(jsonFile, 'utf8'));
  expect({ kind, complete }).toEqual({ kind: 'bench', complete: true });
  expect(benches).toHaveLength(4);
  for (const { group, name, ns } of benches) {
    expect(group).toBe('waiting');
    expect(ns, name).toBeGreaterThan(0);
  }
});

it('a name that is none ends it at once with 2, and what there is', async () => {
  const { code, output } = await runBench('speed');
  expect(code).toBe(2);
  expect(output).toMatch(
    /bench: no subject speed; there are .*metrics, ratelimit, codec, balancers, jsonrpc, framing/,
  );
});
