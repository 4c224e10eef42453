import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedArtillery } from '../artillery/install.ts';
import { checkOutputs, writeOutputs } from '../report/write-outputs.ts';
import { environment } from '../result/environment.ts';
import { emptyResult } from '../result/run-result.ts';
import type { RunResult } from '../result/run-result.ts';
import { Children } from '../stand/children.ts';
import { deferred } from '../stand/deferred.ts';
import { progressLine } from '../stand/progress.ts';
import type { ProgressLine } from '../stand/progress.ts';
import type { Evidence } from './evidence.ts';
import { judgeAll } from './expectations/all.ts';
import type { Judgement } from './expectations/expectation.ts';
import { listOf } from './list.ts';
import { parseOptions, usage } from './options.ts';
import type { ScenarioOptions } from './options.ts';
import { probe } from './probe.ts';
import { progressText } from './progress-text.ts';
import { findScenario, knownScenarios, withValues } from './scenario-file.ts';
import type { Scenario } from './scenario-file.ts';
import { ScenarioRun } from './scenario-run.ts';
import { stageResult } from './stage-result.ts';
import { stageTable } from './stage-table.ts';
import { Stand } from './stand.ts';
import { verdictTable } from './verdict-table.ts';

const exit = { passed: 0, failed: 1, notRun: 2, interrupted: 130 } as const;
const longestRunMs = 24 * 3_600_000;

/** `npm run scenario`; returns its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      console.log(usage);
      return exit.passed;
    }
    if (options.name === undefined) {
      console.log(`${listOf(knownScenarios())}\n\n${usage}`);
      return exit.passed;
    }
    checkOutputs(options);
    const scenario = withValues(findScenario(options.name), options.values);
    if (options.url !== undefined && scenario.needsStand !== undefined)
      throw new Error(
        `${scenario.name} cannot be run against ${options.url}: ${scenario.needsStand}; without a URL it starts all it needs`,
      );
    return await runScenario(scenario, options, args);
  } catch (error) {
    console.error(`scenario: ${(error as Error).message}`);
    return exit.notRun;
  }
}

async function runScenario(
  scenario: Scenario,
  options: ScenarioOptions,
  args: readonly string[],
): Promise<number> {
  const children = new Children();
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-scenario-'));
  const line = progressLine(process.stderr);
  const interrupted = deferred<'interrupted'>();
  const onSignal = (): void => interrupted.resolve('interrupted');
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  let run: ScenarioRun | undefined;
  try {
    const prepared = prepare(scenario, options, children, dir, line).then((made) => (run = made));
    const ended = children.watch(
      `the scenario ${scenario.name}`,
      longestRunMs,
      prepared.then((made) => made.run()),
    );
    const shown = setInterval(() => run && line.show(progressText(run)), 1_000);
    const evidence = await Promise.race([ended, interrupted.promise]).finally(() => clearInterval(shown));
    line.clear();
    return finish({
      scenario,
      options,
      args,
      run,
      evidence: evidence === 'interrupted' ? undefined : evidence,
    });
  } finally {
    line.clear();
    await run?.stop();
    await children.stopAll();
    rmSync(dir, { recursive: true, force: true });
  }
}

async function prepare(
  scenario: Scenario,
  { url }: ScenarioOptions,
  children: Children,
  dir: string,
  line: ProgressLine,
): Promise<ScenarioRun> {
  line.show(url === undefined ? 'starting a gateway and its back ends …' : `trying ${url} …`);
  const stand = url === undefined ? await Stand.start({ children, spec: scenario.stand, dir }) : undefined;
  const target = url ?? stand!.url;
  if (url !== undefined) await probe(url);
  const program = await installedArtillery({ say: line.print });
  line.show('starting artillery …');
  return new ScenarioRun({ scenario, url: target, stand, program, onFault: (error) => children.fail(error) });
}

interface Finished {
  readonly scenario: Scenario;
  readonly options: ScenarioOptions;
  readonly args: readonly string[];
  readonly run: ScenarioRun | undefined;
  /** Undefined when it was interrupted. */
  readonly evidence: Evidence | undefined;
}

/** Prints and writes what there is; returns the exit code. */
function finish({ scenario, options, args, run, evidence }: Finished): number {
  if (run === undefined || run.book.counts.begun === 0) {
    console.error('scenario: interrupted before a client had connected');
    return exit.interrupted;
  }
  const result = resultOf(scenario, options, args, run);
  const judgements = evidence === undefined ? [] : judged(scenario, run, evidence);
  const verdicts = judgements.flatMap(({ expectation, measured, passed }) =>
    passed === null ? [] : [{ expectation, measured, passed }],
  );
  const whole: RunResult = { ...result, complete: evidence !== undefined, verdicts };
  print(scenario, whole, judgements, run);
  for (const file of writeOutputs(whole, options)) console.log(`written: ${file}`);
  if (evidence === undefined) {
    console.error(`scenario: interrupted after ${Math.round(whole.seconds)} s; nothing is judged`);
    return exit.interrupted;
  }
  return verdicts.every(({ passed }) => passed) ? exit.passed : exit.failed;
}

function judged(scenario: Scenario, run: ScenarioRun, evidence: Evidence): Judgement[] {
  const checks = run.checks.map(({ condition, held }) => ({
    expectation: `artillery ensures ${condition}`,
    measured: held ? 'it holds' : 'it does not hold',
    passed: held,
  }));
  return [...judgeAll(scenario.expect, evidence), ...checks];
}

function resultOf(
  scenario: Scenario,
  { url }: ScenarioOptions,
  args: readonly string[],
  run: ScenarioRun,
): RunResult {
  const target = url ?? 'a gateway started for this run, and its back ends';
  return {
    ...emptyResult({
      kind: 'scenario',
      title: `${scenario.name}: ${scenario.title}`,
      command: ['npm run scenario --', ...args].join(' '),
      environment: environment(url === undefined ? 'loopback' : `to ${new URL(url).hostname}`),
      target,
      settings: scenario.variables,
    }),
    ...run.measured,
    stages: run.stages.stages.map((stage) => stageResult(stage, run.samples.taken, scenario.expect)),
  };
}

function print(
  scenario: Scenario,
  result: RunResult,
  judgements: readonly Judgement[],
  run: ScenarioRun,
): void {
  console.log(`${scenario.name}: ${scenario.title}\n`);
  if (result.stages.length > 0) console.log(`${stageTable(result.stages)}\n`);
  if (judgements.length > 0) console.log(`${verdictTable(judgements)}\n`);
  if (judgements.some(({ passed }) => passed === false))
    for (const [kind, example] of Object.entries(run.book.examples))
      if (example !== kind) console.log(`for example: ${example}`);
}
