import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedArtillery } from '../artillery/install.ts';
import { checkOutputs } from '../report/write-outputs.ts';
import { withoutCredentials } from '../result/without-credentials.ts';
import { Children } from '../stand/children.ts';
import { deferred } from '../stand/deferred.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { openFilesLimit } from '../stand/memory.ts';
import { onInterrupt } from '../stand/on-interrupt.ts';
import { progressLine } from '../stand/progress.ts';
import type { ProgressLine } from '../stand/progress.ts';
import { finish } from './finish.ts';
import { listOf } from './list.ts';
import { parseOptions, usage } from './options.ts';
import type { ScenarioOptions } from './options.ts';
import { probe } from './probe.ts';
import { progressText } from './progress-text.ts';
import { findScenario, knownScenarios, withValues } from './scenario-file.ts';
import type { Scenario } from './scenario-file.ts';
import { ScenarioRun } from './scenario-run.ts';
import { Stand } from './stand.ts';

/** Open files that are no connections. */
const otherFiles = 100;
const longestRunMs = 24 * 3_600_000;

/** `npm run scenario`; returns its exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const options = parseOptions(args);
    if (options.help) {
      console.log(usage);
      return exitCodes.done;
    }
    if (options.name === undefined) {
      console.log(`${listOf(knownScenarios())}\n\n${usage}`);
      return exitCodes.done;
    }
    checkOutputs(options);
    const scenario = withValues(findScenario(options.name), options.values);
    if (options.url !== undefined && scenario.needsStand !== undefined)
      throw new Error(
        `${scenario.name} cannot be run against ${options.url}: ${scenario.needsStand}; without a URL it starts all it needs`,
      );
    checkOpenFiles(scenario);
    return await runScenario(scenario, options, args);
  } catch (error) {
    console.error(`scenario: ${withoutCredentials((error as Error).message)}`);
    return exitCodes.cannotBegin;
  }
}

/** Throws when this machine lets no process have so many connections. */
function checkOpenFiles({ variables: { connections } }: Scenario): void {
  const most = openFilesLimit() - otherFiles;
  if (typeof connections === 'number' && connections > most)
    throw new Error(
      `${connections} connections are more than the ${most} that one process may have here: raise the limit of open files (ulimit -n)`,
    );
}

async function runScenario(
  scenario: Scenario,
  options: ScenarioOptions,
  args: readonly string[],
): Promise<number> {
  const children = new Children();
  const dir = mkdtempSync(join(tmpdir(), 'wsluice-scenario-'));
  const line = progressLine(process.stderr);
  let run: ScenarioRun | undefined;
  const interrupted = deferred<'interrupted'>();
  onInterrupt({
    onFirst: () => {
      run?.freeze();
      interrupted.resolve('interrupted');
    },
    onLater: () => rmSync(dir, { recursive: true, force: true }),
  });
  try {
    const prepared = prepare(scenario, options, children, dir, line).then((made) => (run = made));
    const ended = children.watch(
      `the scenario ${scenario.name}`,
      longestRunMs,
      prepared.then((made) => made.run()),
    );
    const shown = setInterval(() => run && line.show(progressText(run)), 1_000);
    const end = await Promise.race([ended, interrupted.promise])
      .catch((error: unknown) => error as Error)
      .finally(() => clearInterval(shown));
    line.clear();
    return finish({ scenario, options, args, run, end });
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
  line.show(
    url === undefined ? 'starting a gateway and its back ends …' : `trying ${withoutCredentials(url)} …`,
  );
  const stand = url === undefined ? await Stand.start({ children, spec: scenario.stand, dir }) : undefined;
  const target = url ?? stand!.url;
  if (url !== undefined) await probe(url);
  const program = await installedArtillery({ say: line.print });
  line.show('starting artillery …');
  return new ScenarioRun({ scenario, url: target, stand, program, onFault: (error) => children.fail(error) });
}
