import { existsSync, readFileSync } from 'node:fs';
import { getHeapStatistics } from 'node:v8';
import { loadEngine } from '../listener.ts';

/** What the gateway runs on. */
export interface Runtime {
  readonly node: string;
  /** The package that brings uWebSockets.js, with its version. */
  readonly engine: string;
  /** What keeps the engine from being loaded. */
  readonly engineProblem: string | undefined;
  readonly heapLimitBytes: number;
}

/** Looks at this process: what it runs on is what a gateway started in its place would run on. */
export async function readRuntime(): Promise<Runtime> {
  let engineProblem: string | undefined;
  try {
    await loadEngine();
  } catch (error) {
    engineProblem = (error as Error).message;
  }
  return {
    node: process.versions.node,
    engine: engineVersion(),
    engineProblem,
    heapLimitBytes: getHeapStatistics().heap_size_limit,
  };
}

/** Name and version from the package.json above the engine's entry point. */
function engineVersion(): string {
  try {
    const entry = import.meta.resolve('uWebSockets.js');
    for (const relative of ['./package.json', '../package.json']) {
      const file = new URL(relative, entry);
      if (!existsSync(file)) continue;
      const { name, version } = JSON.parse(readFileSync(file, 'utf8')) as { name: string; version: string };
      return `${name} ${version}`;
    }
  } catch {
    // Not installed, which engineProblem says.
  }
  return 'unknown';
}
