import { SeededRandom } from '../corpus/random.ts';
import { testVocabulary } from '../corpus/vocabulary.ts';
import type { Message } from './message.ts';

/** A module in the shape of thor's generators: `utf8(size, fn)` and `binary(size, fn)`, each of which calls `fn(error, data)`. */
export type Generator = (size: number, done: (error: unknown, data: unknown) => void) => unknown;

export interface MessageShape {
  readonly bytes: number;
  readonly isBinary: boolean;
  /** The method to call by JSON-RPC; without one, messages are plain. */
  readonly method: string | undefined;
  readonly generator: Generator | undefined;
  /** Sent as it is; says it all. */
  readonly text: string | undefined;
}

const poolBytes = 1 << 16;
const seed = 7;
const generatorPatienceMs = 10_000;

/** Makes messages of a size, no two alike where they are long enough: words for a codec to pack, behind a number. */
export class MessageMaker {
  readonly #words = words();
  #made = 0;

  /** Returns the next message; a JSON-RPC request has this `id`. A request is never shorter than its frame asks for. */
  async next(shape: MessageShape, id: number | undefined): Promise<Message> {
    const { isBinary } = shape;
    if (shape.text !== undefined) return { bytes: Buffer.from(shape.text), isBinary };
    if (shape.generator !== undefined)
      return { bytes: await generated(shape.generator, shape.bytes), isBinary };
    if (shape.method === undefined || id === undefined) return { bytes: this.#plain(shape.bytes), isBinary };
    const head = `{"jsonrpc":"2.0","id":${id},"method":${JSON.stringify(shape.method)},"params":["`;
    const tail = '"]}';
    const room = Math.max(0, shape.bytes - Buffer.byteLength(head) - tail.length);
    return { bytes: Buffer.from(`${head}${this.#plain(room).toString('latin1')}${tail}`), isBinary };
  }

  /** ASCII without a quote or a backslash. */
  #plain(bytes: number): Buffer {
    const number = `${(this.#made++).toString(36)} `;
    const message = Buffer.alloc(bytes);
    let at = message.write(number.slice(0, bytes), 'latin1');
    let from = (this.#made * 31) % poolBytes;
    while (at < bytes) {
      at += this.#words.copy(message, at, from, Math.min(poolBytes, from + bytes - at));
      from = 0;
    }
    return message;
  }
}

function words(): Buffer {
  const random = new SeededRandom(seed);
  const { nouns, verbs, adjectives } = testVocabulary;
  const pool = Buffer.alloc(poolBytes, ' ');
  for (let at = 0; at < poolBytes;)
    at += pool.write(
      `${random.pickSkewed(adjectives)} ${random.pickSkewed(nouns)} ${random.pickSkewed(verbs)} ${random.whole(0, 999)} `,
      at,
      'latin1',
    );
  return pool;
}

function generated(generator: Generator, size: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const silent = `the generator did not call done(error, data) within ${generatorPatienceMs / 1_000} s`;
    const late = setTimeout(() => reject(new Error(silent)), generatorPatienceMs);
    const fail = (error: unknown): void => {
      clearTimeout(late);
      reject(new Error(`the generator failed: ${text(error)}`));
    };
    const done = (error: unknown, data: unknown): void => {
      clearTimeout(late);
      if (error !== undefined && error !== null) fail(error);
      else if (typeof data === 'string') resolve(Buffer.from(data));
      else if (data instanceof Uint8Array) resolve(data);
      else reject(new Error(`the generator gave ${typeof data}; a string or a Buffer is needed`));
    };
    try {
      // One that is async by mistake: what it throws is to be seen, and does not end the process.
      const returned: unknown = generator(size, done);
      if (returned instanceof Promise) returned.catch(fail);
    } catch (error) {
      fail(error);
    }
  });
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
