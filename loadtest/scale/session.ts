import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tellOutputs } from '../report/write-outputs.ts';
import { environment, networkTo } from '../result/environment.ts';
import { emptyResult, type RunResult } from '../result/run-result.ts';
import { stageTable } from '../result/stage-table.ts';
import { verdictTable } from '../result/verdict-table.ts';
import { Children } from '../stand/children.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { onInterrupt } from '../stand/on-interrupt.ts';
import { ProgressBar } from '../stand/progress-bar.ts';
import { counted, grouped } from '../result/grouped.ts';
import type { ScaleOptions } from './options.ts';
import type { Plan } from './plan.ts';
import { ScaleRun } from './run.ts';
import { startStand, type Stand } from './stand.ts';
import { connectionsText, faultLines, summaryText } from './summary.ts';

/** The processes and files of one run, and what of it is told. */
export class Session {
  readonly #options: ScaleOptions;
  readonly #plan: Plan;
  readonly #cores: number;
  readonly #command: string;
  readonly #children = new Children({ apart: true });
  readonly #progress = new ProgressBar(process.stderr);
  readonly #startedMs = performance.now();
  #interrupted = false;

  constructor(options: ScaleOptions, plan: Plan, cores: number, args: readonly string[]) {
    this.#options = options;
    this.#plan = plan;
    this.#cores = cores;
    this.#command = ['npm run scale', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  }

  /** Resolves to the exit code. */
  async measure(foreign: Stand | undefined): Promise<number> {
    onInterrupt({
      onFirst: () => {
        this.#interrupted = true;
        this.#children.fail(new Error('interrupted'));
      },
      onLater: () => this.#progress.clear(),
    });
    const dir = mkdtempSync(join(tmpdir(), 'wsluice-scale-'));
    process.once('exit', () => rmSync(dir, { recursive: true, force: true }));
    let run: ScaleRun | undefined;
    let stand = foreign;
    let fault: Error | undefined;
    try {
      stand ??= await this.#start(dir);
      const result = this.#emptyResult(stand);
      this.#progress.print(
        `${result.title}\n${result.target}; ${this.#cores} cores (${result.environment.cpu})\n`,
      );
      run = new ScaleRun({
        ...{ options: this.#options, plan: this.#plan, stand, children: this.#children },
        ...{ progress: this.#progress, cores: this.#cores },
      });
      await run.connect();
      await run.load();
    } catch (error) {
      fault = error as Error;
    }
    await run?.salvage();
    this.#progress.clear();
    const code = this.#tell(run, stand, fault);
    await this.#children.stopAll();
    return code;
  }

  async #start(dir: string): Promise<Stand> {
    const { gateways, backends } = this.#plan;
    this.#progress.show({
      what: `starting ${counted(gateways, 'gateway')}${backends > 0 ? ` and ${counted(backends, 'backend')}` : ''}`,
      details: [],
    });
    return startStand(this.#options, this.#plan, this.#children, dir);
  }

  /** Prints and writes what there is, and returns the exit code. Where nothing was measured there is no table, and no file. */
  #tell(run: ScaleRun | undefined, stand: Stand | undefined, fault: Error | undefined): number {
    if (fault && !this.#interrupted) console.error(`scale: ${fault.message}`);
    if (!run || !stand || (!run.figures && !this.#interrupted)) {
      if (this.#interrupted)
        console.error('scale: interrupted before the first connection, nothing was measured');
      return this.#interrupted ? exitCodes.interrupted : exitCodes.cannotBegin;
    }
    if (this.#interrupted) console.error('scale: interrupted; what was measured until then:');
    const result = this.#emptyResult(stand);
    run.fill(result);
    result.seconds = (performance.now() - this.#startedMs) / 1_000;
    result.complete = fault === undefined;
    if (fault && !this.#interrupted)
      result.verdicts.push({
        expectation: 'the run comes to its end',
        measured: fault.message.split('\n', 1)[0]!,
        passed: false,
      });
    this.#print(run, result);
    const written = tellOutputs('scale', result, this.#options);
    if (this.#interrupted) return exitCodes.interrupted;
    return written && result.verdicts.every(({ passed }) => passed) ? exitCodes.done : exitCodes.failed;
  }

  #print(run: ScaleRun, result: RunResult): void {
    const { figures, ceilingText } = run;
    if (result.stages.length > 0) console.log(`${stageTable(result.stages)}\n`);
    if (ceilingText) console.log(`${ceilingText}\n`);
    if (figures && run.hasLoaded) console.log(`${summaryText(result, figures)}\n`);
    else {
      const errors = faultLines(run.faults).map((line) => `  ${line}\n`);
      console.log(`  connections: ${connectionsText(result)}\n  no message was answered\n${errors.join('')}`);
    }
    if (result.verdicts.length > 0) console.log(`${verdictTable(result.verdicts)}\n`);
  }

  #emptyResult(stand: Stand): RunResult {
    const { connections, ratePerSecond, durationMs, warmupMs, mode, bytes, findCeiling, p99Ms } =
      this.#options;
    const load = findCeiling
      ? `the highest rate that keeps p99 below ${p99Ms} ms`
      : `${grouped(ratePerSecond)} messages/s for ${durationMs / 1_000} s`;
    return emptyResult({
      kind: 'scale',
      title: `${grouped(connections)} connections, ${load}, ${mode} mode, open loop`,
      command: this.#command,
      environment: environment(networkTo([stand.target.host])),
      target: stand.name,
      settings: {
        ...{ connections, rate: ratePerSecond, seconds: durationMs / 1_000, warmup: warmupMs / 1_000 },
        ...{ mode, bytes, gateways: this.#plan.gateways, loaders: this.#plan.loaders },
      },
    });
  }
}
