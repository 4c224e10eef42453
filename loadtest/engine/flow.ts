import { setTimeout as sleep } from 'node:timers/promises';
import type { z } from 'zod';
import { kinds } from '../result/failure-kinds.ts';
import { connectStep } from './connect-step.ts';
import { meetStep, openLoopStep, splitStep } from './crowd-steps.ts';
import { Failure } from './failure.ts';
import { connectionOf, type FlowContext, type Step, type VirtualUser } from './flow-context.ts';
import { rateStep, sendStep } from './send-steps.ts';
import { checked, clientsOfBranch, loopLimits, verbs, type Verb } from './verbs.ts';

type StepSpec = Readonly<Record<string, unknown>>;

const msPerSecond = 1_000;

/** Returns the steps of a flow; throws naming the first that makes no sense. */
export function compileFlow(flow: readonly StepSpec[], shared: FlowContext, path = 'flow'): Step[] {
  return flow.map((spec, i) => compileStep(spec, `${path}[${i}]`, shared));
}

function compileStep(spec: StepSpec, where: string, shared: FlowContext): Step {
  if (Array.isArray(spec['loop'])) return loopStep(spec, where, shared);
  const names = Object.keys(spec);
  const verb = names[0];
  if (names.length !== 1 || verb === undefined || !Object.hasOwn(verbs, verb))
    throw new Error(
      `${where} has ${names.join(', ') || 'nothing'}; one of ${Object.keys(verbs).join(', ')} and loop is needed`,
    );
  return verbStep(verb as Verb, spec[verb], `${where}.${verb}`, shared);
}

function verbStep(verb: Verb, args: unknown, where: string, shared: FlowContext): Step {
  switch (verb) {
    case 'connect':
      return withArgs(verbs.connect, args, where, shared, connectStep);
    case 'send':
      return withArgs(verbs.send, args, where, shared, sendStep);
    case 'rate':
      return withArgs(verbs.rate, args, where, shared, rateStep);
    case 'openLoop':
      return withArgs(verbs.openLoop, args, where, shared, openLoopStep);
    case 'meet': {
      const place = {};
      return withArgs(verbs.meet, args, where, shared, (expected) => meetStep(expected, shared, place));
    }
    case 'split':
      return splitFlows(args, where, shared);
    case 'close':
      return withArgs(
        verbs.close,
        args === true ? {} : args,
        where,
        shared,
        ({ code, reason, cut }) =>
          (user) => {
            const connection = connectionOf(user);
            return cut ? connection.cut() : connection.close(code, reason);
          },
      );
    case 'think':
      return withArgs(verbs.think, args, where, shared, (seconds) => () => sleep(seconds * msPerSecond));
    case 'awaitClose':
      return withArgs(verbs.awaitClose, args, where, shared, (seconds) => async (user) => {
        if (await connectionOf(user).closedWithin(seconds * msPerSecond)) return;
        const failure = new Failure(kinds.notClosed, `not within ${seconds} s`);
        shared.telemetry.failed(failure);
        throw failure;
      });
    case 'stopReading':
      return plain((user) => connectionOf(user).stopReading());
    case 'startReading':
      return plain((user) => connectionOf(user).read());
    case 'log':
      return withArgs(verbs.log, args, where, shared, (text) => plain(() => console.log(text)));
    case 'function':
      return functionStep(checked(verbs.function, args, where), where, shared);
  }
}

/** A step that is over at once. */
function plain(work: (user: VirtualUser) => void): Step {
  return (user) => {
    work(user);
    return Promise.resolve();
  };
}

/** One of several flows for each client. How many take which may be a template; the flows are checked now. */
function splitFlows(args: unknown, where: string, shared: FlowContext): Step {
  const branches = checked(verbs.split, args, where).map(({ clients, flow }, i) => ({
    clients,
    steps: compileFlow(flow, shared, `${where}[${i}].flow`),
  }));
  return async (user) => {
    const ways = branches.map(({ clients, steps }) => {
      if (clients === undefined) return { clients, steps };
      const filledIn = shared.helpers.template(clients, user.context);
      return { clients: checked(clientsOfBranch, filledIn, `${where}.clients`), steps };
    });
    await splitStep(ways)(user);
  };
}

/** A step whose arguments are checked now, or when its variables are known. */
function withArgs<Schema extends z.ZodType>(
  schema: Schema,
  args: unknown,
  where: string,
  shared: FlowContext,
  step: (
    args: z.infer<Schema>,
    shared: FlowContext,
  ) => Step | ((...given: Parameters<Step>) => void | Promise<void>),
): Step {
  const isTemplate = JSON.stringify(args ?? null).includes('{{');
  if (!isTemplate) {
    const made = step(checked(schema, args, where), shared);
    return async (user) => made(user);
  }
  return async (user) => {
    const filledIn = shared.helpers.template(args, user.context);
    await step(checked(schema, filledIn, where), shared)(user);
  };
}

/** Steps again and again: `count` times, for `seconds`, or as long as the client lives. */
function loopStep(spec: StepSpec, where: string, shared: FlowContext): Step {
  const { loop, count, seconds, ...others } = spec;
  const unknown = Object.keys(others);
  if (unknown.length > 0)
    throw new Error(`${where}: a loop has count and seconds, not ${unknown.join(', ')}`);
  const steps = compileFlow(loop as StepSpec[], shared, `${where}.loop`);
  const limit = checked(loopLimits, { count, seconds }, where);
  return async (user) => {
    const untilMs = performance.now() + (limit.seconds ?? Infinity) * msPerSecond;
    for (let i = 0; i < (limit.count ?? Infinity) && performance.now() < untilMs; i++)
      for (const step of steps) await step(user);
  };
}

type ProcessorFunction = (context: unknown, events: unknown, done?: (error?: unknown) => void) => unknown;

/** Calls a function of the processor as artillery's own engines do: with a callback, or awaiting its promise. */
function functionStep(name: string, where: string, { processor, artillery }: FlowContext): Step {
  const work = processor[name];
  if (typeof work !== 'function') throw new Error(`${where}: config.processor exports no function ${name}`);
  return async ({ context }) => {
    if (work.constructor.name === 'AsyncFunction') {
      await (work as ProcessorFunction)(context, artillery);
      return;
    }
    await new Promise<void>((resolve, reject) => {
      (work as ProcessorFunction)(context, artillery, (error) => {
        if (error === undefined || error === null) resolve();
        else reject(error instanceof Error ? error : new Error(JSON.stringify(error)));
      });
    });
  };
}
