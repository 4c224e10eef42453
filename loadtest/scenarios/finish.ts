import { tellOutputs } from '../report/write-outputs.ts';
import { environment, networkTo } from '../result/environment.ts';
import { emptyResult } from '../result/run-result.ts';
import type { RunResult } from '../result/run-result.ts';
import { stageTable } from '../result/stage-table.ts';
import { verdictTable } from '../result/verdict-table.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import type { Evidence } from './evidence.ts';
import { judgeAll } from './expectations/all.ts';
import type { Judgement } from './expectations/expectation.ts';
import type { ScenarioOptions } from './options.ts';
import { loaderBound } from './loader-limit.ts';
import type { Scenario } from './scenario-file.ts';
import type { ScenarioRun } from './scenario-run.ts';
import { stageResult } from './stage-result.ts';

export interface Ending {
  readonly scenario: Scenario;
  readonly options: ScenarioOptions;
  /** Of the command line. */
  readonly args: readonly string[];
  /** Undefined when it ended before there was one. */
  readonly run: ScenarioRun | undefined;
  /** What was seen, or why it came to no end of its own. */
  readonly end: Evidence | 'interrupted' | Error;
}

/** Prints and writes what there is of a run; returns the exit code. Throws what kept it from beginning. */
export function finish({ scenario, options, args, run, end }: Ending): number {
  if (run === undefined || run.book.counts.connected === 0) {
    if (end instanceof Error) throw end;
    console.error('scenario: interrupted before a client had connected');
    return exitCodes.interrupted;
  }
  const wholly = end !== 'interrupted' && !(end instanceof Error);
  const judgements = wholly ? judged(scenario, run, end) : [];
  const verdicts = judgements.flatMap(({ expectation, measured, passed }) =>
    passed === null ? [] : [{ expectation, measured, passed }],
  );
  const result: RunResult = { ...resultOf(scenario, options, args, run), complete: wholly, verdicts };
  print(scenario, result, judgements, run);
  const written = tellOutputs('scenario', result, options);
  if (wholly) return written && verdicts.every(({ passed }) => passed) ? exitCodes.done : exitCodes.failed;
  const seconds = Math.round(result.seconds);
  if (end === 'interrupted') {
    console.error(`scenario: interrupted after ${seconds} s: that is a part, and nothing of it is judged`);
    return exitCodes.interrupted;
  }
  console.error(`scenario: it broke off after ${seconds} s: ${end.message}`);
  return exitCodes.failed;
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
  return {
    ...emptyResult({
      kind: 'scenario',
      title: `${scenario.name}: ${scenario.title}`,
      command: ['npm run scenario --', ...args].join(' '),
      environment: environment(networkTo(url === undefined ? [] : [new URL(url).hostname])),
      target: url ?? 'a gateway that was started for it, and its back ends',
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
  const bound = loaderBound(run.stages.stages, run.samples.taken);
  if (bound.length > 0)
    console.log(
      `the loader had used up its core in ${bound.join(', ')}: that may be its limit, not the server's\n`,
    );
  if (judgements.some(({ passed }) => passed === false))
    for (const [kind, example] of Object.entries(run.book.examples))
      if (example !== kind) console.log(`for example: ${example}`);
}
