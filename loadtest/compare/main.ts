import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkOutputs, tellOutputs } from '../report/write-outputs.ts';
import type { RunResult } from '../result/run-result.ts';
import { Children } from '../stand/children.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { onInterrupt } from '../stand/on-interrupt.ts';
import { progressLine } from '../stand/progress.ts';
import type { Contestant } from './contestants.ts';
import type { Figures } from './figures.ts';
import { checkMachine, parseOptions, usage } from './options.ts';
import type { CompareOptions } from './options.ts';
import { comparisonOf, newResult } from './result.ts';
import { figuresAt, presentAmong, runComparison } from './run.ts';
import type { DepthFigures } from './run.ts';
import { comparisonText, headline, legend } from './text.ts';
import '../stand/outlive-readers.ts';

// What still waits for something when the run has failed, a port that never opens, must not keep it alive.
process.exit(await main(process.argv.slice(2)));

/** Exit code 1 means that something went wrong, never that something is slow; 2 that it could not begin. */
async function main(args: readonly string[]): Promise<number> {
  let options: CompareOptions;
  let present: readonly Contestant[];
  try {
    if (args.includes('--help')) {
      console.log(usage);
      return exitCodes.done;
    }
    options = parseOptions(args);
    checkOutputs(options);
    checkMachine(options);
    const found = presentAmong(options.contestants);
    for (const line of found.missing) console.error(`compare: left out, ${line}`);
    if (found.present.length === 0) throw new Error('nothing is left to measure');
    present = found.present;
  } catch (error) {
    console.error(`compare: ${(error as Error).message}\n\n${usage}`);
    return exitCodes.cannotBegin;
  }
  return measureAll(present, options, newResult(args, options, present));
}

async function measureAll(
  present: readonly Contestant[],
  options: CompareOptions,
  empty: RunResult,
): Promise<number> {
  const children = new Children();
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-compare-'));
  const line = progressLine(process.stderr);
  const [runs, done]: [Figures[], DepthFigures[]] = [[], []];
  const startedMs = performance.now();
  let code: number = exitCodes.done;
  const interrupted = (): void => {
    code = exitCodes.interrupted;
    children.fail(new Error('interrupted'));
  };
  onInterrupt({ onFirst: interrupted, onLater: () => rmSync(dir, { recursive: true, force: true }) });
  const show = (figures: DepthFigures): void => {
    done.push(figures);
    line.print(comparisonText(figures, options.pace.clients));
  };
  line.print(headline(empty));
  try {
    await runComparison(present, {
      ...{ children, dir, options, progress: line.show, onDepth: show },
      onRun: (figures) => runs.push(figures),
    });
  } catch (error) {
    line.clear();
    // Ctrl-C reaches the processes of the run as well, and may have ended one before this one heard of it.
    await sleep(100);
    if (code === exitCodes.done) {
      code = exitCodes.failed;
      console.error(`compare: ${(error as Error).message}`);
    }
  } finally {
    line.clear();
    await children.stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
  const cutShort = options.depths.find((depth) => !done.some((figures) => figures.depth === depth));
  if (code !== exitCodes.done && runs.length > 0)
    line.print('\nIt ended early; this is what was measured until then:\n');
  if (cutShort !== undefined && runs.some(({ depth }) => depth === cutShort)) show(figuresAt(cutShort, runs));
  if (done.length === 0) {
    console.error(
      `compare: ${code === exitCodes.interrupted ? 'interrupted before anything' : 'nothing'} was measured`,
    );
    return code;
  }
  line.print(legend);
  const seconds = (performance.now() - startedMs) / 1000;
  const comparison = comparisonOf(
    done.flatMap(({ medians }) => medians),
    done.flatMap(({ ratios }) => ratios),
  );
  const result = { ...empty, seconds, complete: code === exitCodes.done, comparison };
  if (!tellOutputs('compare', result, options)) return code === exitCodes.done ? exitCodes.failed : code;
  return code;
}
