import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startChild } from './support/child.ts';
import { CHECKOUT } from './support/gateway.ts';

const longestMs = 120_000;

/** `npm run bench -- capacity`, so small that it takes seconds. */
async function runBench(...options: string[]): Promise<{ code: number | string; output: string }> {
  const small = ['capacity', '--connections', '200', '--rate', '300', '--hold', '0.5'];
  const args = ['--disable-warning=ExperimentalWarning', 'loadtest/bench/run.ts', ...small, ...options];
  const child = startChild(process.execPath, args, { cwd: CHECKOUT });
  return { code: await child.exited, output: child.output() };
}

it('the capacity bench holds its clients, and prints a row', { timeout: longestMs }, async () => {
  const { code, output } = await runBench();
  expect(output).toContain('capacity: 200 connections held, none dropped');
  expect(output).toMatch(/^ +200 +1 .* [1-8]$/m);
  expect(code).toBe(0);
});

it('the capacity bench fails when a client is dropped', { timeout: longestMs }, async () => {
  const { code, output } = await runBench('--gateway', join(CHECKOUT, 'test/fixtures/dropping-gateway.ts'));
  expect(output).toMatch(/a client was dropped.*1008 closed by an operator/);
  expect(code).toBe(1);
});
