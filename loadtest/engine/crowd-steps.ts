import { kinds } from '../result/failure-kinds.ts';
import type { Connection } from './connection.ts';
import { connectionOf, type FlowContext, type Step } from './flow-context.ts';
import type { Asker } from './open-loop.ts';
import { say, shapeOf } from './send-steps.ts';
import type { MessageShape } from './message-maker.ts';
import type { OpenLoopArgs } from './verbs.ts';

/** Waits for the others. */
export function meetStep(expected: number, { crowd }: FlowContext, place: object): Step {
  return (user) => crowd.meet(place, expected, user.number);
}

/** Takes part in the open loop of all clients that come to a step of that name. */
export function openLoopStep(args: OpenLoopArgs, shared: FlowContext): Step {
  const { as: name, rate, seconds, reply } = args;
  return async (user) => {
    const connection = connectionOf(user);
    const shape = await shapeOf(args, shared);
    const answered = reply !== 'none';
    await shared.crowd
      .loop({ name, rate, seconds, answered })
      .join(askerFor(connection, args, shape, shared));
  };
}

function askerFor(
  connection: Connection,
  { reply }: Pick<OpenLoopArgs, 'reply'>,
  shape: MessageShape,
  shared: FlowContext,
): Asker {
  return {
    get open() {
      return connection.isOpen;
    },
    giveUpLate: () => void connection.dropLate(),
    ask: (dueMs) =>
      new Promise((settled) => {
        const onSettled = (failure: string | undefined): void => settled(failure);
        void say(connection, { reply, onSettled }, shape, shared, dueMs).then(
          (sent) => {
            if (!sent) settled(kinds.gone);
            else if (reply === 'none') settled(undefined);
          },
          (error: unknown) => settled((error as Error).message),
        );
      }),
  };
}

/** Does one of several flows: the first clients the first one, so many as it says, and so on; one without a number is for all others. */
export function splitStep(
  branches: readonly { readonly clients: number | undefined; readonly steps: readonly Step[] }[],
): Step {
  return async (user) => {
    let before = 0;
    for (const { clients, steps } of branches) {
      before += clients ?? Infinity;
      if (user.number >= before) continue;
      for (const step of steps) await step(user);
      return;
    }
  };
}
