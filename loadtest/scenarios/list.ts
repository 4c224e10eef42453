import type { ScenarioFile } from './scenario-file.ts';

/** Returns the scenarios, a line each. */
export function listOf(scenarios: readonly ScenarioFile[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length));
  return scenarios.map(({ name, title }) => `  ${name.padEnd(width)}  ${title}`).join('\n');
}
