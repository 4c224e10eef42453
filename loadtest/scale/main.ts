import { checkOutputs } from '../report/write-outputs.ts';
import { exitCodes } from '../stand/exit-codes.ts';
import { thisMachine } from './machine.ts';
import { parseOptions, usage, type ScaleOptions } from './options.ts';
import { planFor, type Plan } from './plan.ts';
import { Session } from './session.ts';
import { foreignStand, type Stand } from './stand.ts';
import '../stand/outlive-readers.ts';

// What still waits for something when the run has failed, a port that never opens, must not keep it alive.
process.exit(await main(process.argv.slice(2)));

/** Exit code 1 means that something went wrong while it was loaded, 2 that it could not begin, 130 that it was interrupted. */
async function main(args: readonly string[]): Promise<number> {
  let options: ScaleOptions;
  let foreign: Stand | undefined;
  let plan: Plan;
  const machine = thisMachine();
  try {
    if (args.includes('--help')) {
      console.log(usage);
      return exitCodes.done;
    }
    options = parseOptions(args);
    checkOutputs(options);
    foreign = options.url && (await foreignStand(options.url));
    plan = planFor(options, machine, foreign?.manyAddresses ?? true);
  } catch (error) {
    console.error(
      `scale: ${(error as Error).message}\n${isAboutArguments(error) ? `\n${usage}` : ''}`.trimEnd(),
    );
    return exitCodes.cannotBegin;
  }
  return new Session(options, plan, machine.cores, args).measure(foreign);
}

/** Of the errors before a run, those that the list of options helps with. */
function isAboutArguments(error: unknown): boolean {
  return (
    (error as Error).message.startsWith('--') ||
    (error as NodeJS.ErrnoException).code?.startsWith('ERR_PARSE_ARGS') === true
  );
}
