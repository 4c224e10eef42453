import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { parseRunResult } from '../result/run-result.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { onInterrupt } from '../stand/on-interrupt.ts';
import { parseOptions, usage } from './options.ts';
import type { Part, PerformanceOptions } from './options.ts';
import { resultText, trimmed } from './trimmed.ts';
import '../stand/outlive-readers.ts';

const root = join(import.meta.dirname, '../..');
const resultsDir = join(root, 'loadtest/results');

let running: ChildProcess | undefined;

/** The run ends by itself when it is told to, by Ctrl-C or from here: nothing of it is kept. */
onInterrupt({ onFirst: () => running?.kill() });
process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  let options: PerformanceOptions;
  let texts: Map<string, string>;
  try {
    if (args.includes('--help')) {
      console.log(usage);
      return exitCodes.done;
    }
    options = parseOptions(args);
    texts = new Map(options.files.map((file) => [nameOf(file), keptText(file)]));
  } catch (error) {
    console.error(`performance: ${(error as Error).message}\n\n${usage}`);
    return exitCodes.cannotBegin;
  }
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-performance-'));
  try {
    for (const part of options.measured) {
      const file = join(dir, `${part}.json`);
      const code = await runNode(commandOf(part, options, file));
      if (code !== 0) return code;
      texts.set(nameOf(file), keptText(file));
    }
  } finally {
    rmSync(dir, { recursive: true });
  }
  mkdirSync(resultsDir, { recursive: true });
  for (const [name, text] of texts) writeFileSync(join(resultsDir, name), text);
  const code = await runNode(['scripts/generate-docs.ts']);
  if (code === 0)
    console.log(`kept ${[...texts.keys()].join(', ')} in loadtest/results; wrote docs/performance.md`);
  return code;
}

function commandOf(part: Part, { compareArgs }: PerformanceOptions, file: string): string[] {
  return part === 'compare'
    ? ['loadtest/compare/main.ts', ...compareArgs, '--json', file]
    : ['loadtest/bench/run.ts', 'micro', '--json', file];
}

function nameOf(file: string): string {
  return `${basename(file, '.json')}.json`;
}

/** What is kept of a result; throws when the file has none, or a part of one. */
function keptText(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  try {
    const result = parseRunResult(text);
    if (!result.complete) throw new Error('that run was interrupted');
    return resultText(trimmed(result));
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
}

async function runNode(args: readonly string[]): Promise<number> {
  running = spawn(process.execPath, [...process.execArgv, ...args], { cwd: root, stdio: 'inherit' });
  const [code] = (await once(running, 'exit')) as [number | null];
  return code ?? 1;
}
