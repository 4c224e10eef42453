import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { Children } from '../stand/children.ts';
import { chosenSubjects } from './all-subjects.ts';
import { parseOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import { progressLine } from '../stand/progress.ts';
import type { Subject } from './subject.ts';

// What still waits for something when the bench has failed, a port that never opens, must not keep it alive.
process.exit(await main(process.argv.slice(2)));

/** Exit code 1 means that something went wrong, never that something is slow. */
async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    await runAll(chosenSubjects(options), options);
    return 0;
  } catch (error) {
    console.error(`\nbench: ${(error as Error).message}`);
    return 1;
  }
}

async function runAll(wanted: readonly Subject[], options: BenchOptions): Promise<void> {
  const children = new Children();
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-bench-'));
  const figures: unknown[] = [];
  const line = progressLine(process.stderr);
  const interrupted = (): void => children.fail(new Error('interrupted'));
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const bench = {
    ...{ children, options, dir, progress: line.show },
    print: line.print,
    keep: (raw: unknown) => void figures.push(raw),
  };
  const machine = { cpu: cpus()[0]?.model, cores: availableParallelism(), node: process.version };
  line.print(`${machine.cores} cores (${machine.cpu}), Node ${machine.node}, loopback\n`);
  try {
    for (const subject of wanted) await subject.run(bench);
    if (options.jsonFile)
      writeFileSync(options.jsonFile, JSON.stringify({ machine, options, figures }, null, 2));
  } finally {
    line.clear();
    await children.stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
}
