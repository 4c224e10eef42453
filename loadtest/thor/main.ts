import { CommanderError } from 'commander';
import { platform } from 'node:os';
import { installedArtillery } from '../artillery/install.ts';
import { guardExit } from '../engine/generator-exit.ts';
import { checkOutputs, tellOutputs } from '../report/write-outputs.ts';
import { counted, grouped } from '../result/grouped.ts';
import { total } from '../result/total.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { openFilesLimit } from '../stand/memory.ts';
import { onInterrupt } from '../stand/on-interrupt.ts';
import { withoutCredentials } from '../result/without-credentials.ts';
import { ProgressBar } from '../stand/progress-bar.ts';
import { Load, type LoadEnd } from './load.ts';
import { parseOptions, thorCommand, type ThorOptions } from './options.ts';
import { probe } from './probe.ts';
import { loadStep, type Plan } from './progress.ts';
import { thorResult } from './result.ts';
import { workerScripts } from './script.ts';
import { summaryText } from './summary.ts';
import '../stand/outlive-readers.ts';

const redrawEveryMs = 500;
/** What a process of Node has open beside its connections. */
const otherFiles = 60;

const exit: (code: number) => never = process.exit.bind(process);

exit(await main(process.argv.slice(2)));

async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(thorCommand(), args);
    checkOutputs(options);
    if (options.masked) tell('--masked changes nothing: every frame is masked, as RFC 6455 asks');
    if (options.generator !== undefined) guardExit(options.generator, endUnusable);
    for (const url of options.urls) {
      const wrong = await probe(url, options);
      if (wrong !== undefined) throw new Error(wrong);
    }
    const program = await installedArtillery({ say: tell });
    warnOfFiles(options);
    return await run(args, options, program);
  } catch (error) {
    if (!(error instanceof CommanderError)) tell((error as Error).message);
    else if (error.exitCode === 0) return exitCodes.done;
    return exitCodes.cannotBegin;
  }
}

async function run(args: readonly string[], options: ThorOptions, program: string): Promise<number> {
  const connections = options.amount * options.urls.length;
  console.log(headline(options, connections));
  const load = new Load(program, workerScripts(options));
  const stopShowing = showProgress(load, { connections, messages: connections * options.messages });
  const stopListening = onInterrupt({ onFirst: () => load.interrupt(), exit });
  const end = await load.ended;
  stopListening();
  stopShowing();
  return conclude(args, options, load, end);
}

/** Prints what was measured, writes it, and returns the exit code. */
function conclude(args: readonly string[], options: ThorOptions, { book }: Load, end: LoadEnd): number {
  const { counts } = book;
  const { fault, interrupted } = end;
  if (fault !== undefined) tell(fault);
  const missing = options.amount * options.urls.length - counts.over;
  if (interrupted) console.log('\nInterrupted: what follows was measured until then.');
  else if (fault === undefined && missing > 0)
    tell(`artillery ended while ${grouped(missing)} connections were still to be made or under way`);
  if (counts.begun === 0) {
    if (interrupted) tell('no connection was begun: nothing was measured');
    return interrupted ? exitCodes.interrupted : exitCodes.cannotBegin;
  }
  const complete = !interrupted && missing === 0;
  const result = thorResult(args, options, book.measured(), complete);
  console.log(`\n${summaryText(result, book.examples)}\n`);
  const written = tellOutputs('loadtest', result, options);
  if (interrupted) return exitCodes.interrupted;
  return written && complete && Object.keys(result.errors).length === 0 ? exitCodes.done : exitCodes.failed;
}

function headline(
  { urls, concurrent, messages, bufferBytes, workers }: ThorOptions,
  connections: number,
): string {
  const atOnce = concurrent === 0 ? 'all at once' : `${grouped(concurrent)} being opened at once`;
  return [
    `${counted(connections, 'connection')}, ${atOnce}, ${counted(messages, 'message')} of ${counted(bufferBytes, 'byte')} each, ` +
      `from ${workers} artillery ${workers === 1 ? 'process' : 'processes'}`,
    ...urls.map((url) => `Connecting to ${withoutCredentials(url)}`),
  ].join('\n');
}

/** Shows how far the load is, until the returned function is called. */
function showProgress({ book }: Load, plan: Plan): () => void {
  const bar = new ProgressBar(process.stderr);
  let startedMs: number | undefined;
  const draw = (): void => {
    const { counts, errors } = book;
    if (counts.begun === 0) return bar.show({ what: 'artillery is starting', details: [] });
    startedMs ??= performance.now();
    bar.show(loadStep(plan, counts, total(errors), performance.now() - startedMs));
  };
  draw();
  const timer = setInterval(draw, redrawEveryMs);
  return () => {
    clearInterval(timer);
    bar.clear();
  };
}

/** A limit of the machine is better known before. */
function warnOfFiles({ amount, urls, workers }: ThorOptions): void {
  if (platform() !== 'linux') return;
  const needed = Math.ceil((amount * urls.length) / workers) + otherFiles;
  const limit = openFilesLimit();
  if (needed <= limit) return;
  tell(
    `all connections at once would need ${grouped(needed)} open files in each process, and ${grouped(limit)} are allowed: ` +
      'should they be open together, some will fail (ulimit -n raises it, --workers divides it)',
  );
}

function endUnusable(reason: string): void {
  tell(reason);
  exit(exitCodes.cannotBegin);
}

function tell(text: string): void {
  console.error(`loadtest: ${withoutCredentials(text)}`);
}
