import { Connection } from '../engine/connection.ts';
import { Failure } from '../engine/failure.ts';
import { kinds } from '../result/failure-kinds.ts';
import { loadGenerator } from '../engine/generator.ts';
import { MessageMaker, type Generator } from '../engine/message-maker.ts';
import { Telemetry } from '../engine/telemetry.ts';
import { adviceFor } from './advice.ts';
import type { ThorOptions } from './options.ts';

const patienceMs = 5_000;
const msPerSecond = 1_000;

/** One connection, one message and one reply, as the load will have them: returns what is wrong with the server at `url`, for a person, or undefined. */
export async function probe(url: string, options: ThorOptions): Promise<string | undefined> {
  const artillery = { emit: () => undefined };
  const telemetry = new Telemetry({ worker: 'probe', artillery, expected: new Set() });
  const timeoutMs = options.timeoutChosen ? options.timeoutS * msPerSecond : patienceMs;
  const { protocol, codec, insecure } = options;
  const about = { url, codec, insecure, timeoutMs, protocolVersion: protocol, subprotocols: [], headers: {} };
  let connection: Connection;
  try {
    connection = await Connection.open(about, telemetry);
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return explained(url, error.kind, error.message, timeoutMs);
  }
  const generator = await generatorOf(options);
  const id = options.method === undefined ? undefined : connection.nextId();
  const { bufferBytes, binary, method } = options;
  const shape = { bytes: bufferBytes, isBinary: binary, method, generator, text: undefined };
  const message = await new MessageMaker().next(shape, id);
  connection.send(message, { id, check: options.reply, sinceMs: performance.now() });
  await connection.owesAtMost(0);
  connection.cut();
  const { errors, examples } = telemetry.take(0);
  const kind = Object.keys(errors)[0];
  return kind === undefined ? undefined : explained(url, kind, examples[kind] ?? kind, timeoutMs);
}

/** Throws when the generator cannot be used. */
async function generatorOf({ generator, binary }: ThorOptions): Promise<Generator | undefined> {
  return generator === undefined ? undefined : loadGenerator(generator, binary);
}

function explained(url: string, kind: string, message: string, timeoutMs: number): string {
  const within = kind === kinds.handshakeTimeout ? ` after ${timeoutMs / msPerSecond} s` : '';
  const advice = adviceFor(kind);
  return `${url}: ${message}${within}${advice === undefined ? '' : `\n  ${advice}`}`;
}
