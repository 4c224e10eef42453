import { setTimeout as sleep } from 'node:timers/promises';
import { kinds } from '../result/failure-kinds.ts';
import type { Connection } from './connection.ts';
import { Failure } from './failure.ts';
import { connectionOf, type FlowContext, type Step } from './flow-context.ts';
import type { MessageShape } from './message-maker.ts';
import type { Owed } from './owed-replies.ts';
import type { Rate, Send } from './verbs.ts';

const msPerSecond = 1_000;
const defaultMethod = 'echo';

/** Closed loop: a message goes out when few enough of those before it have no reply yet. */
export function sendStep(send: Send, shared: FlowContext): Step {
  const { count, pace, inFlight } = send;
  return async (user) => {
    const connection = connectionOf(user);
    const shape = await shapeOf(send, shared);
    for (let i = 0; i < count && connection.isOpen; i++) {
      const startedMs = performance.now();
      await say(connection, send, shape, shared, startedMs);
      await settled(connection, i === count - 1 ? 0 : inFlight - 1);
      const restMs = startedMs + pace * msPerSecond - performance.now();
      if (restMs > 0 && i < count - 1) await sleep(Math.ceil(restMs));
    }
    await settled(connection, 0);
    if (!connection.isOpen) throw new Failure(kinds.gone);
  };
}

/** Open loop: messages go out at their times, whatever the replies do, and latencies count from those times. */
export function rateStep(rate: Rate, shared: FlowContext): Step {
  const { perSecond, seconds } = rate;
  return async (user) => {
    const connection = connectionOf(user);
    const shape = await shapeOf(rate, shared);
    const everyMs = msPerSecond / perSecond;
    const count = Math.round(perSecond * seconds);
    // Clients that begin together do not send together.
    const startMs = performance.now() + Math.random() * everyMs;
    for (let i = 0; i < count && connection.isOpen; i++) {
      const dueMs = startMs + i * everyMs;
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await sleep(Math.ceil(waitMs));
      connection.dropLate();
      // Timers may be early by a little.
      await say(connection, rate, shape, shared, Math.min(dueMs, performance.now()));
    }
    while (connection.isOpen && connection.owed > 0) await connection.owesAtMost(0);
    if (!connection.isOpen) throw new Failure(kinds.gone);
  };
}

/** Sends the next message, and `onSettled` hears what came of it; false when the connection is gone. */
export async function say(
  connection: Connection,
  { reply, onSettled }: Pick<Send, 'reply'> & Pick<Owed, 'onSettled'>,
  shape: MessageShape,
  { maker }: FlowContext,
  sinceMs: number,
): Promise<boolean> {
  const id = shape.method === undefined ? undefined : connection.nextId();
  const message = await maker.next(shape, id);
  return connection.send(message, reply === 'none' ? undefined : { id, check: reply, sinceMs, onSettled });
}

/** Throws when a reply took too long: who waits for one more would wait as long again. */
async function settled(connection: Connection, most: number): Promise<void> {
  if (!(await connection.owesAtMost(most))) throw new Failure(kinds.replyTimeout);
}

/** What the messages of a step are like. */
export async function shapeOf(
  { bytes, binary, jsonRpc, text }: Pick<Send, 'bytes' | 'binary' | 'jsonRpc' | 'text'>,
  { generatorFor }: FlowContext,
): Promise<MessageShape> {
  const method = jsonRpc === false ? undefined : jsonRpc === true ? defaultMethod : jsonRpc;
  const generator = text === undefined && method === undefined ? await generatorFor(binary) : undefined;
  return { bytes, isBinary: binary, method, generator, text };
}
