import type { RunResult } from '../result/run-result.ts';

const digits = 6;

/**
 * Returns what of a result is kept in the repository: without its seconds, which are most of it, without the flags that said where it was
 * written, and with no more digits than anybody reads.
 */
export function trimmed(result: RunResult): RunResult {
  const command = result.command.replaceAll(/ --(?:json|report)(?:=| )\S+/g, '').replace(/ --$/, '');
  const kept = { ...result, command, timeline: [] };
  delete kept.others;
  return rounded(kept);
}

/** As a file has it; the same result is always the same text. */
export function resultText(result: RunResult): string {
  return `${JSON.stringify(result, null, 1)}\n`;
}

function rounded<T>(value: T): T {
  const round = (_: string, one: unknown): unknown =>
    typeof one === 'number' && !Number.isInteger(one) ? Number(one.toPrecision(digits)) : one;
  return JSON.parse(JSON.stringify(value, round)) as T;
}
