import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkOutputs, tellOutputs } from '../report/write-outputs.ts';
import { Children } from '../stand/children.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { onInterrupt } from '../stand/on-interrupt.ts';
import { progressLine } from '../stand/progress.ts';
import { chosenSubjects } from './all-subjects.ts';
import { Kept } from './kept.ts';
import { parseOptions, usage } from './options.ts';
import type { BenchOptions } from './options.ts';
import type { Subject } from './subject.ts';
import '../stand/outlive-readers.ts';

// What still waits for something when the bench has failed, a port that never opens, must not keep it alive.
process.exit(await main(process.argv.slice(2)));

/** Exit code 1 means that something went wrong, never that something is slow; 2 that it could not begin. */
async function main(args: readonly string[]): Promise<number> {
  let options: BenchOptions;
  let wanted: readonly Subject[];
  try {
    if (args.includes('--help')) {
      console.log(usage);
      return exitCodes.done;
    }
    options = parseOptions(args);
    wanted = chosenSubjects(options);
    checkOutputs(options);
  } catch (error) {
    console.error(`bench: ${(error as Error).message}\n\n${usage}`);
    return exitCodes.cannotBegin;
  }
  return runAll(wanted, options, args);
}

async function runAll(
  wanted: readonly Subject[],
  options: BenchOptions,
  args: readonly string[],
): Promise<number> {
  const children = new Children();
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-bench-'));
  const kept = new Kept();
  const [startedAt, startedMs] = [new Date().toISOString(), performance.now()];
  const line = progressLine(process.stderr);
  let code: number = exitCodes.done;
  const interrupted = (): void => {
    code = exitCodes.interrupted;
    children.fail(new Error('interrupted'));
  };
  onInterrupt({ onFirst: interrupted, onLater: () => rmSync(dir, { recursive: true, force: true }) });
  const { keepBenches, keepComparison, keepOther } = kept;
  const bench = {
    ...{ children, options, dir, progress: line.show, print: line.print },
    ...{ keepBenches, keepComparison, keepOther },
  };
  line.print(`${availableParallelism()} cores (${cpus()[0]?.model}), Node ${process.version}, loopback\n`);
  try {
    for (const subject of wanted) await subject.run(bench);
  } catch (error) {
    line.clear();
    // Ctrl-C reaches the processes of the run as well, and may have ended one before this one heard of it.
    await sleep(100);
    if (code === exitCodes.done) code = exitCodes.failed;
    console.error(`\nbench: ${code === exitCodes.interrupted ? 'interrupted' : (error as Error).message}`);
  } finally {
    line.clear();
    await children.stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
  if (kept.isEmpty) return code;
  const result = {
    ...kept.result(
      args,
      wanted.map(({ name }) => name),
      options,
    ),
    ...{ startedAt, seconds: (performance.now() - startedMs) / 1000, complete: code === exitCodes.done },
  };
  if (!tellOutputs('bench', result, options)) return code === exitCodes.done ? exitCodes.failed : code;
  return code;
}
